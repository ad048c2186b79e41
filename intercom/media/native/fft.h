/* A real Fourier transform of 320 samples. */

#ifndef INTERCOM_FFT_H
#define INTERCOM_FFT_H

#include "bins.h"

/* A spectrum has bins 0 to 160. The last block holds the Nyquist bin and three zeros. */
enum { FFT_SAMPLES = 320, HALF_BLOCKS = FFT_SAMPLES / 8, BIN_BLOCKS = HALF_BLOCKS + 1 };

/* The tables of the transform; nothing changes them after fft_prepare. */
struct fft {
    struct bins columns[HALF_BLOCKS]; /* exp(-2 pi i b k / 160), lanes of b */
    struct bins halves[HALF_BLOCKS];  /* -i exp(-2 pi i k / 320), lanes of k */
    struct bins rows[5][8];           /* exp(-2 pi i p k / 40), the same in all lanes */
};

void fft_prepare(struct fft *fft);

/* Write the spectrum of FFT_SAMPLES samples, divided by their number. */
void fft_forward(const struct fft *fft, const f4 samples[], struct bins spectrum[]);

/* Write the samples of a spectrum: the inverse of fft_forward. */
void fft_inverse(const struct fft *fft, const struct bins spectrum[], f4 samples[]);

#endif
