/* The multi-delay block frequency-domain adaptive filter, with a background and a foreground filter.

   [SP] J.-S. Soo, K. K. Pang, "Multidelay block frequency domain adaptive filter", IEEE Trans. ASSP 38(2), 1990: the
        partitions and their update; the constraint of one partition after the other (AUMDF).
   [OA] K. Ochiai, T. Araseki, T. Ogihara, "Echo canceler with two echo path models", IEEE Trans. COM 25(6), 1977: the
        background filter learns, and the foreground filter, which is heard, takes over what has proved better.

   Constants and order are those of libspeexdsp 1.2.1 in floating point, the oracle of the tests: the thresholds of the
   talk-through judge were set on what that filter leaves. NOTICE has its authors' terms. */

#include "mdf.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "learning_rate.h"

enum { VECTORS = MDF_BLOCK / 4, HISTORY = MDF_PARTITIONS + 1, SATURATED = 32000, WORSE_BLOCKS = 50 };

static const float PREEMPHASIS = 0.9f, NOTCH_RADIUS = 0.982f;
static const float LOUDEST = FFT_SAMPLES * 1e9f, WORSE = FFT_SAMPLES * 10000.f;
static const float TINY = 1e-12f; /* keeps a long silence from denormal numbers, with which processors are slow */

static inline float not_tiny(float number) { return fabsf(number) < TINY ? 0 : number; }

/* Four bins of a partition, as each filter holds them. */
struct weights {
    struct bins background, foreground;
};

/* How much better the background filter is, and the variance of that: means over a window [OA]. */
struct lead {
    float mean, variance;
};

struct mdf {
    struct fft fft;
    struct bins far[BIN_BLOCKS][2 * HISTORY]; /* its spectra, each written twice: the newest lie side by side */
    struct weights weights[BIN_BLOCKS][MDF_PARTITIONS];
    f4 background_power[MDF_PARTITIONS], foreground_power[MDF_PARTITIONS]; /* of each partition, in four sums */
    struct bins gradient[BIN_BLOCKS]; /* of the block before: its error's spectrum times each bin's learning rate */
    struct learning_rate rate;
    f4 far_samples[2 * VECTORS], window[2 * VECTORS];
    float shares[MDF_PARTITIONS]; /* of the learning rate, for each partition */
    float notch[2], near_before, far_before, left_before;
    struct lead fast, slow;
    int newest, turn, worse_blocks;
    bool saturated;
};

static float product(const f4 a[VECTORS], const f4 b[VECTORS]) {
    f4 even = all4(0), odd = all4(0);
    for (int i = 0; i < VECTORS; i += 2) {
        even += a[i] * b[i];
        odd += a[i + 1] * b[i + 1];
    }
    return sum4(even + odd);
}

/* Before anything is known the first partition learns some ten times as fast as the last. */
static void begin_shares(struct mdf *mdf) {
    float all_shares = 0, share = 0.7f;
    for (int j = 0; j < MDF_PARTITIONS; j++, share *= expf(-2.4f / MDF_PARTITIONS)) {
        mdf->shares[j] = share;
        all_shares += share;
    }
    for (int j = 0; j < MDF_PARTITIONS; j++)
        mdf->shares[j] *= 0.8f / all_shares;
}

struct mdf *mdf_create(void) {
    struct mdf *mdf = aligned_alloc(64, (sizeof(struct mdf) + 63) / 64 * 64);
    if (mdf == NULL)
        return NULL;
    fft_prepare(&mdf->fft);
    for (int i = 0; i < FFT_SAMPLES; i++)
        mdf->window[i / 4][i % 4] = (float)(0.5 - 0.5 * cos(2 * 3.14159265358979323846 * i / FFT_SAMPLES));
    begin_shares(mdf);
    mdf_reset(mdf);
    return mdf;
}

void mdf_free(struct mdf *mdf) {
    free(mdf);
}

void mdf_reset(struct mdf *mdf) {
    memset(mdf->far, 0, sizeof mdf->far);
    memset(mdf->weights, 0, sizeof mdf->weights);
    memset(mdf->background_power, 0, sizeof mdf->background_power);
    memset(mdf->foreground_power, 0, sizeof mdf->foreground_power);
    memset(mdf->gradient, 0, sizeof mdf->gradient);
    memset(mdf->far_samples, 0, sizeof mdf->far_samples);
    mdf->notch[0] = mdf->notch[1] = mdf->near_before = mdf->far_before = mdf->left_before = 0;
    learning_rate_reset(&mdf->rate);
    mdf->fast = mdf->slow = (struct lead){0, 0};
    mdf->newest = mdf->turn = mdf->worse_blocks = 0;
    mdf->saturated = false;
}

/* Take the near end, without its direct current and with its high tones raised. */
static void hear_near(struct mdf *mdf, const int16_t near[MDF_BLOCK], f4 heard[VECTORS]) {
    const float damping = (float)(NOTCH_RADIUS * NOTCH_RADIUS + 0.7 * (1 - NOTCH_RADIUS) * (1 - NOTCH_RADIUS));
    float first = mdf->notch[0], second = mdf->notch[1], before = mdf->near_before;
    float *samples = (float *)heard;
    for (int i = 0; i < MDF_BLOCK; i++) {
        float sample = near[i], passed = first + sample;
        first = second + 2 * (NOTCH_RADIUS * passed - sample);
        second = sample - damping * passed;
        passed *= NOTCH_RADIUS;
        samples[i] = passed - PREEMPHASIS * before;
        before = passed;
    }
    mdf->notch[0] = not_tiny(first);
    mdf->notch[1] = not_tiny(second);
    mdf->near_before = not_tiny(before);
}

/* Put the far end's block in front of its history; return its energy. */
static float hear_far(struct mdf *mdf, const int16_t far[MDF_BLOCK]) {
    memcpy(mdf->far_samples, mdf->far_samples + VECTORS, VECTORS * sizeof(f4));
    float *samples = (float *)(mdf->far_samples + VECTORS);
    samples[0] = far[0] - PREEMPHASIS * mdf->far_before;
    for (int i = 1; i < MDF_BLOCK; i++)
        samples[i] = far[i] - PREEMPHASIS * far[i - 1];
    mdf->far_before = far[MDF_BLOCK - 1];
    struct bins spectrum[BIN_BLOCKS];
    fft_forward(&mdf->fft, mdf->far_samples, spectrum);
    mdf->newest = (mdf->newest + HISTORY - 1) % HISTORY;
    for (int b = 0; b < BIN_BLOCKS; b++)
        mdf->far[b][mdf->newest] = mdf->far[b][mdf->newest + HISTORY] = spectrum[b];
    learning_rate_hear(&mdf->rate, spectrum);
    return product(mdf->far_samples + VECTORS, mdf->far_samples + VECTORS);
}

/* Let each partition learn in proportion to what it already holds. */
static void share_out(struct mdf *mdf) {
    float most = 1, all_shares = 1;
    for (int j = 0; j < MDF_PARTITIONS; j++) {
        mdf->shares[j] = sqrtf(1 + sum4(mdf->background_power[j]));
        most = fmaxf(most, mdf->shares[j]);
    }
    for (int j = 0; j < MDF_PARTITIONS; j++) {
        mdf->shares[j] += 0.1f * most;
        all_shares += mdf->shares[j];
    }
    for (int j = 0; j < MDF_PARTITIONS; j++)
        mdf->shares[j] = 0.99f * mdf->shares[j] / all_shares;
}

static inline struct bins learn(struct bins weight, struct bins far, struct bins gradient, f4 step) {
    weight.re += step * (far.re * gradient.re + far.im * gradient.im);
    weight.im += step * (far.re * gradient.im - far.im * gradient.re);
    return weight;
}

/* Update a partition, and drop what circular convolution has brought into it: [SP], the constraint. */
static void constrain(struct mdf *mdf, int partition, f4 step) {
    struct bins bins[BIN_BLOCKS];
    f4 response[2 * VECTORS];
    for (int b = 0; b < BIN_BLOCKS; b++) {
        struct bins far = mdf->far[b][mdf->newest + partition + 1];
        bins[b] = learn(mdf->weights[b][partition].background, far, mdf->gradient[b], step);
    }
    fft_inverse(&mdf->fft, bins, response);
    memset(response + VECTORS, 0, VECTORS * sizeof(f4));
    fft_forward(&mdf->fft, response, bins);
    for (int b = 0; b < BIN_BLOCKS; b++)
        mdf->weights[b][partition].background = bins[b];
}

/* Update the background filter's other partitions, and predict the echo by both filters: [SP], the update and the sum.
   Two partitions at a time: a spectrum is loaded once for what it taught the one and what it says in the next. */
static void filter(struct mdf *mdf, const f4 steps[MDF_PARTITIONS], struct bins background[],
                   struct bins foreground[]) {
    f4 powers[MDF_PARTITIONS] = {0};
    for (int b = 0; b < BIN_BLOCKS; b++) {
        const struct bins *far = mdf->far[b] + mdf->newest, gradient = mdf->gradient[b];
        struct bins learning = {all4(0), all4(0)}, heard = learning;
        struct weights *weights = mdf->weights[b];
        for (int j = 0; j < MDF_PARTITIONS; j += 2) {
            struct bins newer = far[j], middle = far[j + 1], older = far[j + 2];
            struct weights first = weights[j], second = weights[j + 1];
            first.background = learn(first.background, middle, gradient, steps[j]);
            second.background = learn(second.background, older, gradient, steps[j + 1]);
            weights[j].background = first.background;
            weights[j + 1].background = second.background;
            powers[j] = add_power(powers[j], first.background);
            powers[j + 1] = add_power(powers[j + 1], second.background);
            learning = add_product(add_product(learning, newer, first.background), middle, second.background);
            heard = add_product(add_product(heard, newer, first.foreground), middle, second.foreground);
        }
        background[b] = learning;
        foreground[b] = heard;
    }
    memcpy(mdf->background_power, powers, sizeof powers);
}

static bool exceeds(float difference, float variance) {
    return difference * fabsf(difference) > variance;
}

static void lead(struct lead *lead, float fresh, float difference, float variance) {
    lead->mean = not_tiny((1 - fresh) * lead->mean + fresh * difference);
    lead->variance = not_tiny((1 - fresh) * (1 - fresh) * lead->variance + fresh * fresh * variance);
}

/* Copy the better filter over the other where the difference is significant [OA]; return the energy of the error that
   the background filter leaves. `sent` is the foreground filter's. */
static float compare(struct mdf *mdf, const f4 near[VECTORS], f4 background[VECTORS], f4 foreground[VECTORS],
                     float sent) {
    f4 error[VECTORS], between[VECTORS];
    for (int i = 0; i < VECTORS; i++) {
        error[i] = near[i] - background[i];
        between[i] = foreground[i] - background[i];
    }
    float left = product(error, error), difference = sent - left, variance = sent * (10 + product(between, between));
    lead(&mdf->fast, 0.4f, difference, variance);
    lead(&mdf->slow, 0.15f, difference, variance);
    if (exceeds(difference, variance) || exceeds(mdf->fast.mean, 0.5f * mdf->fast.variance) ||
        exceeds(mdf->slow.mean, 0.25f * mdf->slow.variance)) {
        for (int b = 0; b < BIN_BLOCKS; b++)
            for (int j = 0; j < MDF_PARTITIONS; j++)
                mdf->weights[b][j].foreground = mdf->weights[b][j].background;
        memcpy(mdf->foreground_power, mdf->background_power, sizeof mdf->foreground_power);
        for (int i = 0; i < VECTORS; i++)
            foreground[i] = mdf->window[VECTORS + i] * foreground[i] + mdf->window[i] * background[i];
    } else if (exceeds(-difference, 4 * variance) || exceeds(-mdf->fast.mean, 4 * mdf->fast.variance) ||
               exceeds(-mdf->slow.mean, 4 * mdf->slow.variance)) {
        for (int b = 0; b < BIN_BLOCKS; b++)
            for (int j = 0; j < MDF_PARTITIONS; j++)
                mdf->weights[b][j].background = mdf->weights[b][j].foreground;
        memcpy(mdf->background_power, mdf->foreground_power, sizeof mdf->background_power);
        memcpy(background, foreground, VECTORS * sizeof(f4));
        left = sent;
    } else {
        return left;
    }
    mdf->fast = mdf->slow = (struct lead){0, 0};
    return left;
}

/* Store them as samples, clipped and rounded; halves go up. */
static inline void store_rounded4(int16_t *into, f4 wave) {
    const f4 lowest = all4(-32768), highest = all4(32767);
    wave = choose4(wave > lowest, wave, lowest);
    wave = choose4(wave < highest, wave, highest) + 0.5f;
    i4 whole = __builtin_convertvector(wave, i4);
    whole += __builtin_convertvector(whole, f4) > wave; /* the mask is -1: down, also below zero */
    s4 samples = __builtin_convertvector(whole, s4);
    memcpy(into, &samples, sizeof samples);
}

/* Write the near end without the foreground filter's echo, its tones as they were. */
static void send(struct mdf *mdf, const f4 near[VECTORS], const f4 echo[VECTORS], int16_t left[MDF_BLOCK]) {
    f4 error[VECTORS];
    for (int i = 0; i < VECTORS; i++)
        error[i] = near[i] - echo[i];
    float *samples = (float *)error, before = mdf->left_before;
    for (int i = 0; i < MDF_BLOCK; i++)
        samples[i] = before = samples[i] + PREEMPHASIS * before;
    mdf->left_before = not_tiny(before);
    for (int i = 0; i < VECTORS; i++)
        store_rounded4(left + 4 * i, error[i]);
}

static bool hits_the_limit(const int16_t near[MDF_BLOCK]) {
    int most = 0;
    for (int i = 0; i < MDF_BLOCK; i++) {
        int level = near[i] < 0 ? -near[i] : near[i];
        most = level > most ? level : most;
    }
    return most >= SATURATED;
}

/* Learn from the block before, and predict this block's echo by both filters, in the second half of either array. */
static void predict(struct mdf *mdf, f4 background[2 * VECTORS], f4 foreground[2 * VECTORS]) {
    f4 steps[MDF_PARTITIONS];
    if (mdf->rate.adapted)
        share_out(mdf);
    for (int j = 0; j < MDF_PARTITIONS; j++)
        steps[j] = all4(mdf->saturated ? 0 : mdf->shares[j]);
    mdf->turn = (mdf->turn + 1) % (MDF_PARTITIONS - 1);
    int constrained[] = {0, 1 + mdf->turn};
    for (int i = 0; i < 2; i++) {
        constrain(mdf, constrained[i], steps[constrained[i]]);
        steps[constrained[i]] = all4(0);
    }
    struct bins of_background[BIN_BLOCKS], of_foreground[BIN_BLOCKS];
    filter(mdf, steps, of_background, of_foreground);
    fft_inverse(&mdf->fft, of_background, background);
    fft_inverse(&mdf->fft, of_foreground, foreground);
}

/* Set the learning rates by the background filter's error and echo, whose second halves are filled. */
static void judge(struct mdf *mdf, f4 error[2 * VECTORS], f4 echo[2 * VECTORS], struct energies block) {
    struct bins error_bins[BIN_BLOCKS], echo_bins[BIN_BLOCKS];
    memset(error, 0, VECTORS * sizeof(f4));
    memset(echo, 0, VECTORS * sizeof(f4));
    fft_forward(&mdf->fft, error, error_bins);
    fft_forward(&mdf->fft, echo, echo_bins);
    block.error_by_echo = product(error + VECTORS, echo + VECTORS);
    learning_rate_weigh(&mdf->rate, error_bins, echo_bins, block, mdf->gradient);
}

static void process(struct mdf *mdf, const int16_t near[MDF_BLOCK], const int16_t far[MDF_BLOCK],
                    int16_t left[MDF_BLOCK]) {
    f4 heard[VECTORS], background[2 * VECTORS], foreground[2 * VECTORS], error[2 * VECTORS];
    bool saturated = hits_the_limit(near);
    hear_near(mdf, near, heard);
    float far_energy = hear_far(mdf, far);
    predict(mdf, background, foreground);
    f4 *echo = background + VECTORS, *sent_echo = foreground + VECTORS, *newest_error = error + VECTORS;
    for (int i = 0; i < VECTORS; i++)
        newest_error[i] = heard[i] - sent_echo[i];
    float sent = product(newest_error, newest_error);
    struct energies block = {.far = 2 * far_energy}; /* counted twice, as the oracle does */
    block.error = compare(mdf, heard, echo, sent_echo, sent);
    block.echo = product(echo, echo);
    send(mdf, heard, sent_echo, left);
    mdf->saturated = saturated;
    bool sane = sent < LOUDEST && block.echo < LOUDEST && far_energy < LOUDEST && block.error >= 0;
    if (!sane) {
        memset(left, 0, MDF_BLOCK * sizeof *left);
        begin_shares(mdf); /* which a reset keeps, as the oracle does: they may be what is not sane */
    }
    mdf->worse_blocks = sent > product(heard, heard) + WORSE ? mdf->worse_blocks + 1 : 0;
    if (!sane || mdf->worse_blocks >= WORSE_BLOCKS) {
        mdf_reset(mdf);
        return;
    }
    for (int i = 0; i < VECTORS; i++)
        newest_error[i] = heard[i] - echo[i];
    judge(mdf, error, background, block);
}

void mdf_process(struct mdf *mdf, const int16_t *near, const int16_t *far, int16_t *left, size_t blocks) {
    for (size_t at = 0; at < blocks * MDF_BLOCK; at += MDF_BLOCK)
        process(mdf, near + at, far + at, left + at);
}
