/* A real Fourier transform of 320 samples as a complex one of 160.

   160 = 4 * 40: each lane of a vector transforms every fourth number (40 = 8 * 5, in Stockham's order, which needs no
   bit reversal), then butterflies of radix 4 across the lanes join them. The bins of the real transform come from those
   of the complex one, whose numbers are pairs of samples, by symmetry: H. V. Sorensen and others, "Real-valued fast
   Fourier transform algorithms", IEEE Trans. ASSP 35(6), 1987. */

#include "fft.h"

#include <math.h>

#define PI 3.14159265358979323846

enum { COLUMN = HALF_BLOCKS, ROWS = 5, RADIX = 8 };

static const float SCALE = 0.5f / FFT_SAMPLES;

void fft_prepare(struct fft *fft) {
    for (int k = 0; k < COLUMN; k++)
        for (int lane = 0; lane < 4; lane++) {
            double angle = -2 * PI * lane * k / (4 * COLUMN);
            fft->columns[k].re[lane] = (float)cos(angle);
            fft->columns[k].im[lane] = (float)sin(angle);
        }
    for (int k = 0; k < 4 * COLUMN; k++) {
        double angle = -2 * PI * k / FFT_SAMPLES;
        fft->halves[k / 4].re[k % 4] = (float)sin(angle);
        fft->halves[k / 4].im[k % 4] = (float)-cos(angle);
    }
    for (int p = 0; p < ROWS; p++)
        for (int k = 0; k < RADIX; k++) {
            double angle = -2 * PI * p * k / COLUMN;
            fft->rows[p][k] = (struct bins){all4((float)cos(angle)), all4((float)sin(angle))};
        }
}

/* -i a */
static inline struct bins turned(struct bins a) {
    return (struct bins){a.im, -a.re};
}

static inline void butterfly4(const struct bins in[4], struct bins out[4]) {
    struct bins a = plus(in[0], in[2]), b = minus(in[0], in[2]);
    struct bins c = plus(in[1], in[3]), d = turned(minus(in[1], in[3]));
    out[0] = plus(a, c);
    out[1] = plus(b, d);
    out[2] = minus(a, c);
    out[3] = minus(b, d);
}

static inline void butterfly8(const struct bins in[8], struct bins out[8]) {
    const float root = (float)0.70710678118654752440;
    struct bins even[4], odd[4];
    butterfly4((struct bins[]){in[0], in[2], in[4], in[6]}, even);
    butterfly4((struct bins[]){in[1], in[3], in[5], in[7]}, odd);
    odd[1] = (struct bins){root * (odd[1].re + odd[1].im), root * (odd[1].im - odd[1].re)};
    odd[2] = turned(odd[2]);
    odd[3] = (struct bins){root * (odd[3].im - odd[3].re), -root * (odd[3].re + odd[3].im)};
    for (int k = 0; k < 4; k++) {
        out[k] = plus(even[k], odd[k]);
        out[k + 4] = minus(even[k], odd[k]);
    }
}

static inline struct bins weighted(struct bins a, float x, struct bins b, float y, struct bins c) {
    return (struct bins){a.re + x * b.re + y * c.re, a.im + x * b.im + y * c.im};
}

static inline void butterfly5(const struct bins in[5], struct bins out[5]) {
    const float cos1 = (float)0.30901699437494742410, cos2 = (float)-0.80901699437494742410;
    const float sin1 = (float)0.95105651629515357212, sin2 = (float)0.58778525229247312917;
    struct bins sum1 = plus(in[1], in[4]), sum2 = plus(in[2], in[3]);
    struct bins turn1 = turned(minus(in[1], in[4])), turn2 = turned(minus(in[2], in[3]));
    struct bins even1 = weighted(in[0], cos1, sum1, cos2, sum2), even2 = weighted(in[0], cos2, sum1, cos1, sum2);
    struct bins odd1 = {sin1 * turn1.re + sin2 * turn2.re, sin1 * turn1.im + sin2 * turn2.im};
    struct bins odd2 = {sin2 * turn1.re - sin1 * turn2.re, sin2 * turn1.im - sin1 * turn2.im};
    out[0] = plus(in[0], plus(sum1, sum2));
    out[1] = plus(even1, odd1);
    out[2] = plus(even2, odd2);
    out[3] = minus(even2, odd2);
    out[4] = minus(even1, odd1);
}

static inline void transpose(f4 rows[4]) {
    f4 low01 = __builtin_shufflevector(rows[0], rows[1], 0, 4, 1, 5);
    f4 low23 = __builtin_shufflevector(rows[2], rows[3], 0, 4, 1, 5);
    f4 high01 = __builtin_shufflevector(rows[0], rows[1], 2, 6, 3, 7);
    f4 high23 = __builtin_shufflevector(rows[2], rows[3], 2, 6, 3, 7);
    rows[0] = __builtin_shufflevector(low01, low23, 0, 1, 4, 5);
    rows[1] = __builtin_shufflevector(low01, low23, 2, 3, 6, 7);
    rows[2] = __builtin_shufflevector(high01, high23, 0, 1, 4, 5);
    rows[3] = __builtin_shufflevector(high01, high23, 2, 3, 6, 7);
}

/* Transform 160 complex numbers in place. */
static void transform(const struct fft *fft, struct bins numbers[COLUMN]) {
    struct bins between[COLUMN];
    for (int p = 0; p < ROWS; p++) {
        struct bins in[RADIX], out[RADIX];
        for (int k = 0; k < RADIX; k++)
            in[k] = numbers[p + ROWS * k];
        butterfly8(in, out);
        between[RADIX * p] = out[0];
        for (int k = 1; k < RADIX; k++)
            between[RADIX * p + k] = times(out[k], fft->rows[p][k]);
    }
    struct bins columns[COLUMN];
    for (int q = 0; q < RADIX; q++) {
        struct bins in[ROWS], out[ROWS];
        for (int k = 0; k < ROWS; k++)
            in[k] = between[q + RADIX * k];
        butterfly5(in, out);
        for (int k = 0; k < ROWS; k++)
            columns[q + RADIX * k] = out[k];
    }
    for (int group = 0; group < COLUMN / 4; group++) {
        f4 re[4], im[4];
        struct bins lanes[4], out[4];
        for (int k = 0; k < 4; k++) {
            struct bins column = times(columns[4 * group + k], fft->columns[4 * group + k]);
            re[k] = column.re;
            im[k] = column.im;
        }
        transpose(re);
        transpose(im);
        for (int k = 0; k < 4; k++)
            lanes[k] = (struct bins){re[k], im[k]};
        butterfly4(lanes, out);
        for (int k = 0; k < 4; k++)
            numbers[group + COLUMN / 4 * k] = out[k];
    }
}

/* Bins 160 - k for the four k of a block, conjugated: from the block before (low) and the one that begins there. */
static inline struct bins mirrored(struct bins low, struct bins high) {
    f4 re = __builtin_shufflevector(low.re, high.re, 4, 3, 2, 1);
    f4 im = __builtin_shufflevector(low.im, high.im, 4, 3, 2, 1);
    return (struct bins){re, -im};
}

void fft_forward(const struct fft *fft, const f4 samples[], struct bins spectrum[]) {
    struct bins numbers[COLUMN + 1];
    for (int k = 0; k < COLUMN; k++) {
        f4 first = samples[2 * k], second = samples[2 * k + 1];
        numbers[k].re = __builtin_shufflevector(first, second, 0, 2, 4, 6);
        numbers[k].im = __builtin_shufflevector(first, second, 1, 3, 5, 7);
    }
    transform(fft, numbers);
    numbers[COLUMN] = numbers[0]; /* bin 160 is bin 0 */
    for (int k = 0; k < COLUMN; k++) {
        struct bins mirror = mirrored(numbers[COLUMN - 1 - k], numbers[COLUMN - k]);
        struct bins both = add_product(plus(numbers[k], mirror), minus(numbers[k], mirror), fft->halves[k]);
        spectrum[k] = scaled(both, all4(SCALE));
    }
    float nyquist = 2 * SCALE * (numbers[0].re[0] - numbers[0].im[0]);
    spectrum[COLUMN] = (struct bins){{nyquist, 0, 0, 0}, {0, 0, 0, 0}};
}

void fft_inverse(const struct fft *fft, const struct bins spectrum[], f4 samples[]) {
    struct bins numbers[COLUMN];
    for (int k = 0; k < COLUMN; k++) {
        struct bins mirror = mirrored(spectrum[COLUMN - 1 - k], spectrum[COLUMN - k]);
        struct bins turn = {fft->halves[k].re, -fft->halves[k].im};
        struct bins both = add_product(plus(spectrum[k], mirror), minus(spectrum[k], mirror), turn);
        numbers[k] = (struct bins){both.im, both.re}; /* swapped: the inverse is the transform of these */
    }
    transform(fft, numbers);
    for (int k = 0; k < COLUMN; k++) {
        samples[2 * k] = __builtin_shufflevector(numbers[k].im, numbers[k].re, 0, 4, 1, 5);
        samples[2 * k + 1] = __builtin_shufflevector(numbers[k].im, numbers[k].re, 2, 6, 3, 7);
    }
}
