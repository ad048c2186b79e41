/* The judge of `judge.py`, block by block. */

#include "judge.h"

enum { HOLD_BLOCKS = 25, SURELY_HOLD_BLOCKS = 150, LOUD_HOLD_BLOCKS = 500, RELEASE_BLOCKS = 8 };

static const double SMOOTHING = 0.3, ECHO_DECAY = 0.93;
static const double SPEAKS_DB = -10.0, SPEAKS_BEYOND_DB = 12.5, SPEAKS_SURELY_DB = -3.0;
static const double HELD_DB = -13.0, HELD_DOWN_DB = 0.1, HELD_UP_DB = 0.01, HELD_LEAST_DB = -40.0;
static const double HEARD_DB = -65.0, ECHO_DB = -50.0, ECHO_POWER = 1e-5, LOUD_DB = -12.0, LEARNT_DB = -16.0;
static const double LET_THROUGH_BEYOND_DB = 11.0, LET_THROUGH_UP_DB = 0.5, LET_THROUGH_DOWN_DB = 0.01;
static const double LET_THROUGH_LEAST_DB = -45.0, LEFT_BEYOND_DB = 1.0, NOBODY_BELOW_DB = 3.0;

static double higher(double one, double other) { return one > other ? one : other; }

static double lower(double one, double other) { return one < other ? one : other; }

static int longer(int one, int other) { return one > other ? one : other; }

void judge_begin(struct judge *judge) {
    judge->held_db = 0.0;
    judge->let_through_db = LET_THROUGH_LEAST_DB;
    judge_rest(judge);
}

void judge_rest(struct judge *judge) {
    judge->left = judge->echo = judge->cleaned = judge->echo_dying = 0.0;
    judge->hold = 0;
}

static double speaks_db(const struct judge *judge) {
    return lower(higher(SPEAKS_DB, judge->held_db + SPEAKS_BEYOND_DB), SPEAKS_SURELY_DB);
}

struct heard judge_hear(struct judge *judge, double left, double echo, double cleaned) {
    judge->left += SMOOTHING * (left - judge->left);
    judge->echo += SMOOTHING * (echo - judge->echo);
    judge->cleaned += SMOOTHING * (cleaned - judge->cleaned);
    judge->echo_dying = higher(judge->echo, judge->echo_dying * ECHO_DECAY);
    double echo_db = in_db(judge->echo_dying), cleaned_db = in_db(judge->cleaned);
    double left_db = in_db(judge->left) - echo_db;
    int echoes_now = judge->echo > ECHO_POWER, echoes = echo_db > ECHO_DB;
    if (echoes_now) {
        double step_db = left_db > judge->held_db ? HELD_UP_DB : -HELD_DOWN_DB;
        judge->held_db = higher(judge->held_db + step_db, HELD_LEAST_DB);
    }
    double beyond_db = left_db - judge->held_db;
    if (judge->hold > 0) {
        judge->hold--;
        if (judge->hold > HOLD_BLOCKS && beyond_db < NOBODY_BELOW_DB && echo_db < LOUD_DB)
            judge->hold = longer(HOLD_BLOCKS, judge->hold - RELEASE_BLOCKS);
    }
    if (cleaned_db > HEARD_DB && echoes && judge->held_db < HELD_DB) {
        if (cleaned_db > judge->let_through_db + LET_THROUGH_BEYOND_DB && beyond_db > LEFT_BEYOND_DB) {
            int is_loud = echo_db >= LOUD_DB && left_db < LEARNT_DB;
            judge->hold = longer(judge->hold, is_loud ? LOUD_HOLD_BLOCKS : SURELY_HOLD_BLOCKS);
        } else if (judge->hold < HOLD_BLOCKS && left_db > speaks_db(judge)) {
            judge->hold = HOLD_BLOCKS;
        }
    }
    if (echoes_now) {
        if (cleaned_db <= judge->let_through_db)
            judge->let_through_db = higher(judge->let_through_db - LET_THROUGH_DOWN_DB, LET_THROUGH_LEAST_DB);
        else if (judge->hold == 0)
            judge->let_through_db += LET_THROUGH_UP_DB;
    }
    return (struct heard){judge->hold > 0, echoes && judge->hold == 0, in_db(cleaned), left_db};
}
