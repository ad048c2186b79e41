/* How fast each bin of the linear filter learns. */

#ifndef INTERCOM_LEARNING_RATE_H
#define INTERCOM_LEARNING_RATE_H

#include <stdbool.h>

#include "fft.h"

struct learning_rate {
    f4 far_power[BIN_BLOCKS], error_mean[BIN_BLOCKS], echo_mean[BIN_BLOCKS]; /* power of each bin, smoothed */
    float error_by_echo, echo_by_echo;                                       /* correlations of their changes */
    float learnt;
    bool adapted; /* the filter has learnt enough for its echo to be a measure */
};

/* Energies of a block: of the far end, of the filter's error, of the echo that it predicts; and their product. */
struct energies {
    float far, error, echo, error_by_echo;
};

void learning_rate_reset(struct learning_rate *rate);

/* Take the spectrum of the far end's newest samples. */
void learning_rate_hear(struct learning_rate *rate, const struct bins far[]);

/* Weigh each bin of the error by how fast it is to be learnt from. */
void learning_rate_weigh(struct learning_rate *rate, const struct bins error[], const struct bins echo[],
                         struct energies block, struct bins gradient[]);

#endif
