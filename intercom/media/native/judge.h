/* Whether a visitor speaks while the far end does: `judge.py` has the same, and says why each number is what it is. */

#ifndef INTERCOM_JUDGE_H
#define INTERCOM_JUDGE_H

#include <math.h>

#define FULL_SCALE 32767.0

struct judge {
    double held_db, let_through_db;
    double left, echo, cleaned, echo_dying;
    int hold;
};

struct heard {
    int visitor, is_alone;
    /* alone_db only where is_alone. */
    double cleaned_db, alone_db;
};

static inline double in_db(double power) { return power > 1e-12 ? 10 * log10(power) : -120.0; }

void judge_begin(struct judge *judge);
void judge_rest(struct judge *judge);

/* Hear a block: the powers of what the filter leaves, of the echo that it takes away, and of WebRTC's output, of full
   scale. */
struct heard judge_hear(struct judge *judge, double left, double echo, double cleaned);

#endif
