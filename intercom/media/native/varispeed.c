/* Sound at another speed: `varispeed.py` has the same in NumPy, and the filters. */

#include <stdint.h>

#include "_native.h"
#include "vectors.h"

enum { TAPS = 24, PHASES = 256 };

/* The nearest whole number, half to even, for less than 2^51: `rint` without its library. */
static inline double nearest(double value) {
    const double whole = 6755399441055744.0;
    return (value + whole) - whole;
}

/* The products of the sound around a place with that place's filter, to be added up. */
static inline f4 around(const float *heard, const float *filters, double place) {
    int64_t first = (int64_t)place;
    const float *sound = heard + first, *filter = filters + (int64_t)nearest((place - (double)first) * PHASES) * TAPS;
    f4 sum = load4(sound) * load4(filter);
#pragma GCC unroll 5
    for (int at = 4; at < TAPS; at += 4)
        sum += load4(sound + at) * load4(filter + at);
    return sum;
}

static void play(const float *heard, const float *filters, double ahead, double speed, int16_t *played, Py_ssize_t count) {
    for (Py_ssize_t at = 0; at < count; at += 4) {
        f4 sums[4] = {{0}};
        Py_ssize_t wanted = count - at < 4 ? count - at : 4;
        for (Py_ssize_t next = 0; next < wanted; next++)
            sums[next] = around(heard, filters, ahead + speed * (double)(at + next));
        int16_t made[4];
        store_clipped4(made, sums_of4(sums[0], sums[1], sums[2], sums[3]));
        memcpy(played + at, made, (size_t)wanted * sizeof *made);
    }
}

static int in_reach(double ahead, double speed, Py_ssize_t count, Py_ssize_t heard) {
    double last = ahead + speed * (double)(count - 1), end = (double)(heard - TAPS + 1);
    if (ahead >= 0 && speed > 0 && (count == 0 || (ahead < end && last < end)))
        return 1;
    PyErr_Format(PyExc_ValueError, "%zd samples are not enough for %zd at that speed", heard, count);
    return 0;
}

static PyObject *varispeed(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    if (count_is(count, 5, "varispeed") < 0)
        return NULL;
    double ahead = PyFloat_AsDouble(arguments[2]), speed = PyFloat_AsDouble(arguments[3]);
    if (PyErr_Occurred())
        return NULL;
    Py_buffer heard, filters, played;
    if (floats_of(arguments[0], &heard, 0, -1) < 0)
        return NULL;
    PyObject *done = NULL;
    if (floats_of(arguments[1], &filters, 0, (PHASES + 1) * TAPS) < 0)
        goto release_heard;
    if (samples_of(arguments[4], &played, 1, -1) < 0)
        goto release_filters;
    if (in_reach(ahead, speed, length_of(&played), length_of(&heard))) {
        play(heard.buf, filters.buf, ahead, speed, played.buf, length_of(&played));
        done = Py_NewRef(Py_None);
    }
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
