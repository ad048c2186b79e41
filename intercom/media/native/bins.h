/* Spectra, four bins at a time. */

#ifndef INTERCOM_BINS_H
#define INTERCOM_BINS_H

#include "vectors.h"

/* Four neighbouring bins. */
struct bins {
    f4 re, im;
};

static inline f4 all4(float number) { return (f4){number, number, number, number}; }

static inline float sum4(f4 four) { return (four[0] + four[1]) + (four[2] + four[3]); }

static inline struct bins plus(struct bins a, struct bins b) { return (struct bins){a.re + b.re, a.im + b.im}; }

static inline struct bins minus(struct bins a, struct bins b) { return (struct bins){a.re - b.re, a.im - b.im}; }

static inline struct bins scaled(struct bins a, f4 scale) { return (struct bins){scale * a.re, scale * a.im}; }

static inline struct bins times(struct bins a, struct bins b) {
    return (struct bins){a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re};
}

/* total + a b, in four steps, each of which is one instruction. */
static inline struct bins add_product(struct bins total, struct bins a, struct bins b) {
    total.re += a.re * b.re;
    total.im += a.im * b.re;
    total.re -= a.im * b.im;
    total.im += a.re * b.im;
    return total;
}

/* total + |a|^2 */
static inline f4 add_power(f4 total, struct bins a) {
    total += a.re * a.re;
    total += a.im * a.im;
    return total;
}

#endif
