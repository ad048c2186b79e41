/* Energies of samples. */

#ifndef INTERCOM_LEVELS_H
#define INTERCOM_LEVELS_H

#include <stddef.h>
#include <stdint.h>

static inline int64_t squares(const int16_t *samples, ptrdiff_t count) {
    int64_t sum = 0;
    for (ptrdiff_t at = 0; at < count; at++)
        sum += (int32_t)samples[at] * samples[at];
    return sum;
}

static inline int64_t squared_differences(const int16_t *one, const int16_t *other, ptrdiff_t count) {
    int64_t sum = 0;
    for (ptrdiff_t at = 0; at < count; at++) {
        int64_t difference = (int32_t)one[at] - other[at];
        sum += difference * difference;
    }
    return sum;
}

#endif
