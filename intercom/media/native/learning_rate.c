/* The learning rate of each bin: J.-M. Valin, "On adjusting the learning rate in frequency domain echo cancellation
   with double-talk", IEEE Trans. ASLP 15(3), 2007. The rate is the share of the error that is echo: the leakage times
   the power of the echo over that of the error. The leakage is the regression of the error's power on the echo's.
   Constants and order are libspeexdsp's (NOTICE). */

#include "learning_rate.h"

#include <math.h>
#include <string.h>

#include "mdf.h"

static const float FRESH = MDF_BLOCK / 16000.f; /* weight of a block in the means: they span a second */
static const float FRESH_FAR = (float)(0.35 / MDF_PARTITIONS);
static const float LEAST_LEAK = 0.005f, MOST_OF_ERROR = 0.5f;
static const float HEARD = FFT_SAMPLES * 1000.f, NOISE_FLOOR = FFT_SAMPLES * 100.f;
static const float TINY = 1e-12f; /* keeps a long silence from denormal numbers, with which processors are slow */

void learning_rate_reset(struct learning_rate *rate) {
    memset(rate, 0, sizeof *rate);
    rate->error_by_echo = rate->echo_by_echo = 1;
}

void learning_rate_hear(struct learning_rate *rate, const struct bins far[]) {
    for (int b = 0; b < BIN_BLOCKS; b++)
        rate->far_power[b] = (1 - FRESH_FAR) * rate->far_power[b] + 1 + FRESH_FAR * add_power(all4(0), far[b]);
}

/* The leakage, by the correlation of what changes in either power. */
static float leakage(struct learning_rate *rate, const f4 error_power[], const f4 echo_power[], struct energies block) {
    f4 by_echo = all4(0), of_echo = all4(0);
    for (int b = 0; b < BIN_BLOCKS; b++) {
        f4 error_change = error_power[b] - rate->error_mean[b], echo_change = echo_power[b] - rate->echo_mean[b];
        by_echo += error_change * echo_change;
        of_echo += echo_change * echo_change;
        rate->error_mean[b] = (1 - FRESH) * rate->error_mean[b] + FRESH * error_power[b] + TINY;
        rate->echo_mean[b] = (1 - FRESH) * rate->echo_mean[b] + FRESH * echo_power[b] + TINY;
    }
    float deviation = sqrtf(1 + sum4(of_echo));
    float fresh = fminf(2 * FRESH * block.echo, FRESH / 2 * block.error) / block.error;
    rate->error_by_echo = (1 - fresh) * rate->error_by_echo + fresh * ((1 + sum4(by_echo)) / deviation);
    rate->echo_by_echo = fmaxf((1 - fresh) * rate->echo_by_echo + fresh * deviation, 1);
    rate->error_by_echo = fminf(fmaxf(rate->error_by_echo, LEAST_LEAK * rate->echo_by_echo), rate->echo_by_echo);
    return rate->error_by_echo / rate->echo_by_echo;
}

void learning_rate_weigh(struct learning_rate *rate, const struct bins error[], const struct bins echo[],
                         struct energies block, struct bins gradient[]) {
    f4 error_power[BIN_BLOCKS], echo_power[BIN_BLOCKS];
    for (int b = 0; b < BIN_BLOCKS; b++) {
        error_power[b] = add_power(all4(0), error[b]);
        echo_power[b] = add_power(all4(0), echo[b]);
    }
    block.error = fmaxf(block.error, NOISE_FLOOR);
    float leak = leakage(rate, error_power, echo_power, block);
    float residual = (0.0001f * block.far + 3 * leak * block.echo) / block.error;
    residual = fmaxf(residual, block.error_by_echo * block.error_by_echo / (1 + block.error * block.echo));
    residual = fminf(residual, MOST_OF_ERROR);
    if (rate->learnt > MDF_PARTITIONS && leak * block.echo > 0.03f * block.echo)
        rate->adapted = true;
    if (rate->adapted) {
        for (int b = 0; b < BIN_BLOCKS; b++) {
            f4 whole = error_power[b] + 1, most = MOST_OF_ERROR * whole, part = leak * echo_power[b];
            part = 0.7f * choose4(part > most, most, part) + 0.3f * residual * whole;
            gradient[b] = scaled(error[b], part / (whole * (rate->far_power[b] + 10)));
        }
        return;
    }
    /* The echo of a filter that has hardly learnt tells nothing: one rate for all bins. */
    float same = block.far > HEARD ? 0.25f * fminf(block.far, block.error) / block.error : 0;
    rate->learnt += same;
    for (int b = 0; b < BIN_BLOCKS; b++)
        gradient[b] = scaled(error[b], same / (rate->far_power[b] + 10));
}
