/* What the far end is sent of a frame: `passage.py` and `residual.py` have the same in Python, with the reasons. */

#include <stdint.h>
#include <string.h>

#include "_native.h"
#include "judge.h"
#include "levels.h"

enum { BLOCK = 160 };

static const double ALONE_DB = -8.0, STEEPNESS = 6.0, MOST_DB = -40.0;
static const double BACKGROUND_RISE_DB = 0.03, BACKGROUND_SPREAD_DB = 3.0, QUIETEST_DB = -96.0;

struct residual {
    double background_db, gain_db;
};

typedef struct {
    PyObject_HEAD
    struct judge judge;
    struct residual residual;
} Passage;

static double ratio(double level_db) { return pow(10.0, level_db / 20); }

/* How far the fade from a block's first sample to its last has come at one of them. */
static float ramp(int at) { return at == BLOCK - 1 ? 1.0f : (float)(at * (1.0 / (BLOCK - 1))); }

static double wanted_db(const struct residual *residual, const struct heard *heard) {
    if (!heard->is_alone || heard->alone_db > ALONE_DB)
        return 0.0;
    double gain_db = STEEPNESS * (heard->alone_db - ALONE_DB);
    double to_background_db = residual->background_db + BACKGROUND_SPREAD_DB - heard->cleaned_db;
    gain_db = gain_db > to_background_db ? gain_db : to_background_db;
    gain_db = gain_db > MOST_DB ? gain_db : MOST_DB;
    return gain_db < 0.0 ? gain_db : 0.0;
}

/* Write WebRTC's block without its residual echo. */
static void suppress(struct residual *residual, const struct heard *heard, const int16_t *cleaned, int16_t *sent) {
    double background_db = residual->background_db + BACKGROUND_RISE_DB;
    background_db = heard->cleaned_db < background_db ? heard->cleaned_db : background_db;
    residual->background_db = background_db > QUIETEST_DB ? background_db : QUIETEST_DB;
    double before_db = residual->gain_db, after_db = wanted_db(residual, heard);
    residual->gain_db = after_db;
    if (before_db == 0.0 && after_db == 0.0) {
        memcpy(sent, cleaned, BLOCK * sizeof *sent);
        return;
    }
    float begin = (float)ratio(before_db), rise = (float)ratio(after_db) - begin;
    for (int at = 0; at < BLOCK; at++)
        sent[at] = (int16_t)((float)cleaned[at] * (begin + rise * ramp(at)));
}

/* Fade in place from one share of the visitor's voice to another. */
static void mix(const int16_t *spoken, float begin, float end, int16_t *sent) {
    if (begin == end && (begin == 0.0f || begin == 1.0f)) {
        if (begin == 1.0f)
            memcpy(sent, spoken, BLOCK * sizeof *sent);
        return;
    }
    for (int at = 0; at < BLOCK; at++) {
        float share = begin + (end - begin) * ramp(at);
        sent[at] = (int16_t)((float)sent[at] * (1 - share) + (float)spoken[at] * share);
    }
}

static double send_blocks(Passage *self, const int16_t *const heard[4], Py_ssize_t blocks, double share, int16_t *sent) {
    const double full = BLOCK * FULL_SCALE * FULL_SCALE;
    for (Py_ssize_t begin = 0; begin < blocks * BLOCK; begin += BLOCK) {
        const int16_t *near = heard[0] + begin, *left = heard[1] + begin, *cleaned = heard[2] + begin;
        double echo = (double)squared_differences(near, left, BLOCK) / full;
        struct heard found = judge_hear(&self->judge, (double)squares(left, BLOCK) / full, echo,
                                        (double)squares(cleaned, BLOCK) / full);
        suppress(&self->residual, &found, cleaned, sent + begin);
        mix(heard[3] + begin, (float)share, (float)found.visitor, sent + begin);
        share = found.visitor;
    }
    return share;
}

static PyObject *send_frame(PyObject *self, PyObject *const *arguments, Py_ssize_t count) {
    Py_buffer views[5];
    if (count_is(count, 6, "send") < 0)
        return NULL;
    double share = PyFloat_AsDouble(arguments[4]);
    if (PyErr_Occurred())
        return NULL;
    int taken = 0;
    while (taken < 5) {
        PyObject *array = arguments[taken == 4 ? 5 : taken];
        if (samples_of(array, &views[taken], taken == 4, taken ? length_of(&views[0]) : -1) < 0)
            break;
        taken++;
    }
    PyObject *end = NULL;
    if (taken == 5 && length_of(&views[0]) % BLOCK != 0)
        PyErr_Format(PyExc_ValueError, "a frame of %zd is no multiple of %d", length_of(&views[0]), (int)BLOCK);
    else if (taken == 5 && !(share >= 0 && share <= 1))
        PyErr_SetString(PyExc_ValueError, "a share is from 0 to 1");
    else if (taken == 5) {
        const int16_t *heard[4] = {views[0].buf, views[1].buf, views[2].buf, views[3].buf};
        end = PyFloat_FromDouble(send_blocks((Passage *)self, heard, length_of(&views[0]) / BLOCK, share, views[4].buf));
    }
    while (taken > 0)
        PyBuffer_Release(&views[--taken]);
    return end;
}

static void forget(Passage *self) { self->residual.background_db = self->residual.gain_db = 0.0; }

static PyObject *rest(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    judge_rest(&((Passage *)self)->judge);
    forget((Passage *)self);
    Py_RETURN_NONE;
}

static PyObject *forget_the_background(PyObject *self, PyObject *Py_UNUSED(nothing)) {
    forget((Passage *)self);
    Py_RETURN_NONE;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "", names))
        return NULL;
    Passage *self = (Passage *)new_object(type);
    if (self != NULL) {
        judge_begin(&self->judge);
        forget(self);
    }
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"send", (PyCFunction)(void (*)(void))send_frame, METH_FASTCALL, NULL},
    {"rest", rest, METH_NOARGS, NULL},
    {"forget_the_background", forget_the_background, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_passage(PyObject *module) {
    const char *name = "intercom.media.native._native.Passage";
    return add_type(module, name, sizeof(Passage), create, free_object, methods);
}
