/* Sound at another speed: `varispeed.py` has the same in NumPy, and the filters. */

#include <stdint.h>

#include "_native.h"
#include "vectors.h"

enum { LONG = 24, SHORT = 16 /* the filters that there are */ };

/* A filter for each place between two samples, and one more for that of the second. */
struct bank {
    const float *filters;
    int taps;
    double phases;
};

/* The nearest whole number, half to even, for less than 2^51: `rint` without its library. */
static inline double nearest(double value) {
    const double whole = 6755399441055744.0;
    return (value + whole) - whole;
}

/* The products of the sound around a place with that place's filter, to be added up; `taps` is a constant. */
static inline __attribute__((always_inline)) f4 around(const float *heard, const struct bank *bank, int taps, double place) {
    int64_t first = (int64_t)place;
    const float *sound = heard + first;
    const float *filter = bank->filters + (int64_t)nearest((place - (double)first) * bank->phases) * taps;
    f4 sum = load4(sound) * load4(filter);
#pragma GCC unroll 5
    for (int at = 4; at < taps; at += 4)
        sum += load4(sound + at) * load4(filter + at);
    return sum;
}

static inline __attribute__((always_inline)) void play(const float *heard, const struct bank *bank, int taps, double ahead,
                                                       double speed, int16_t *played, Py_ssize_t count) {
    for (Py_ssize_t at = 0; at < count; at += 4) {
        f4 sums[4] = {{0}};
        Py_ssize_t wanted = count - at < 4 ? count - at : 4;
        for (Py_ssize_t next = 0; next < wanted; next++)
            sums[next] = around(heard, bank, taps, ahead + speed * (double)(at + next));
        int16_t made[4];
        store_clipped4(made, sums_of4(sums[0], sums[1], sums[2], sums[3]));
        memcpy(played + at, made, (size_t)wanted * sizeof *made);
    }
}

/* 0, or -1 with an exception. */
static int play_all(const Py_buffer *heard, const struct bank *bank, double ahead, double speed, const Py_buffer *played) {
    Py_ssize_t count = length_of(played), length = length_of(heard);
    double last = ahead + speed * (double)(count - 1), end = (double)(length - bank->taps + 1);
    if (!(ahead >= 0 && speed > 0 && (count == 0 || (ahead < end && last < end)))) {
        PyErr_Format(PyExc_ValueError, "%zd samples are not enough for %zd at that speed", length, count);
        return -1;
    }
    float *wave = PyMem_Malloc((size_t)(length + 1) * sizeof *wave);
    if (wave == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    for (Py_ssize_t at = 0; at < length; at++)
        wave[at] = ((const int16_t *)heard->buf)[at];
    if (bank->taps == LONG)
        play(wave, bank, LONG, ahead, speed, played->buf, count);
    else
        play(wave, bank, SHORT, ahead, speed, played->buf, count);
    PyMem_Free(wave);
    return 0;
}

/* 0, or -1 with an exception. */
static int take_bank(struct bank *bank, const Py_buffer *filters, Py_ssize_t taps) {
    Py_ssize_t rows = taps == LONG || taps == SHORT ? length_of(filters) / taps : 0;
    if (rows < 2 || rows * taps != length_of(filters)) {
        PyErr_Format(PyExc_ValueError, "%zd weights are no filters of %zd", length_of(filters), taps);
        return -1;
    }
    *bank = (struct bank){filters->buf, (int)taps, (double)(rows - 1)};
    return 0;
}

static PyObject *varispeed(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    if (count_is(count, 6, "varispeed") < 0)
        return NULL;
    Py_ssize_t taps = number_of(arguments[2], LONG);
    double ahead = taps < 0 ? 0 : PyFloat_AsDouble(arguments[3]);
    double speed = PyErr_Occurred() ? 0 : PyFloat_AsDouble(arguments[4]);
    Py_buffer heard, filters, played;
    if (PyErr_Occurred() || samples_of(arguments[0], &heard, 0, -1) < 0)
        return NULL;
    PyObject *done = NULL;
    struct bank bank;
    if (floats_of(arguments[1], &filters, 0, -1) < 0)
        goto release_heard;
    if (samples_of(arguments[5], &played, 1, -1) < 0)
        goto release_filters;
    if (take_bank(&bank, &filters, taps) == 0 && play_all(&heard, &bank, ahead, speed, &played) == 0)
        done = Py_NewRef(Py_None);
    PyBuffer_Release(&played);
release_filters:
    PyBuffer_Release(&filters);
release_heard:
    PyBuffer_Release(&heard);
    return done;
}

static PyMethodDef functions[] = {
    {"varispeed", (PyCFunction)(void (*)(void))varispeed, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_varispeed(PyObject *module) { return PyModule_AddFunctions(module, functions); }
