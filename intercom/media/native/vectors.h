/* Four floats at once: NEON's and SSE2's width, which every arm64 and amd64 processor has. */

#ifndef INTERCOM_VECTORS_H
#define INTERCOM_VECTORS_H

#include <stdint.h>
#include <string.h>

typedef float f4 __attribute__((vector_size(16)));
typedef int32_t i4 __attribute__((vector_size(16)));
typedef int16_t s4 __attribute__((vector_size(8)));

static inline f4 load4(const float *from) {
    f4 four;
    memcpy(&four, from, sizeof four);
    return four;
}

/* `yes` where the mask is set, else `no`. */
static inline f4 choose4(i4 mask, f4 yes, f4 no) { return (f4)(((i4)yes & mask) | ((i4)no & ~mask)); }

/* The sums over each of four vectors. */
static inline f4 sums_of4(f4 a, f4 b, f4 c, f4 d) {
    f4 ab = __builtin_shufflevector(a, b, 0, 2, 4, 6) + __builtin_shufflevector(a, b, 1, 3, 5, 7);
    f4 cd = __builtin_shufflevector(c, d, 0, 2, 4, 6) + __builtin_shufflevector(c, d, 1, 3, 5, 7);
    return __builtin_shufflevector(ab, cd, 0, 2, 4, 6) + __builtin_shufflevector(ab, cd, 1, 3, 5, 7);
}

/* Store them as samples, clipped, and without what lies behind the point, as NumPy's `astype`. */
static inline void store_clipped4(int16_t *into, f4 wave) {
    const f4 lowest = {-32768, -32768, -32768, -32768}, highest = {32767, 32767, 32767, 32767};
    wave = choose4(wave < lowest, lowest, wave);
    wave = choose4(wave > highest, highest, wave);
    s4 samples = __builtin_convertvector(__builtin_convertvector(wave, i4), s4);
    memcpy(into, &samples, sizeof samples);
}

#endif
