/* The decimator: `resample.py` has the same in NumPy.

   The sums of 16 outputs are made together, four at a time: those that are four outputs apart read the same vectors of
   the sound, so that each vector is loaded once for all of them. */

#include <stdint.h>
#include <string.h>

#include "_native.h"
#include "vectors.h"

enum { MOST_FACTOR = 6, MOST_TAPS = 32 * MOST_FACTOR, GROUP = 16, OUTPUTS_AT_ONCE = 10 * GROUP };

typedef struct {
    PyObject_HEAD
    int taps, factor;
    float kernel[MOST_TAPS];
    float sound[MOST_TAPS + OUTPUTS_AT_ONCE * MOST_FACTOR]; /* what came before, and the block behind it */
} Decimator;

/* Write 16 outputs; `vectors` and `factor` are constants to the compiler, where that counts. */
static inline __attribute__((always_inline)) void group(const float *sound, const float *kernel, int vectors, int factor,
                                                        int16_t *down) {
    f4 sums[4][4];
    for (int first = 0; first < 4; first++) {
        const float *begin = sound + first * factor;
        f4 a = {0}, b = {0}, c = {0}, d = {0};
#pragma GCC unroll 24
        for (int at = 0; at < vectors; at++) {
            f4 weights = load4(kernel + 4 * at);
            a += weights * load4(begin + 4 * at);
            b += weights * load4(begin + 4 * (at + factor));
            c += weights * load4(begin + 4 * (at + 2 * factor));
            d += weights * load4(begin + 4 * (at + 3 * factor));
        }
        sums[0][first] = a, sums[1][first] = b, sums[2][first] = c, sums[3][first] = d;
    }
    for (int four = 0; four < 4; four++)
        store_clipped4(down + 4 * four, sums_of4(sums[four][0], sums[four][1], sums[four][2], sums[four][3]));
}

static void some(Decimator *self, const int16_t *block, int outputs, int16_t *down) {
    int past = self->taps - self->factor, length = outputs * self->factor;
    for (int at = 0; at < length; at++)
        self->sound[past + at] = block[at];
    for (int at = 0; at < outputs; at += GROUP) {
        int16_t made[GROUP];
        const float *sound = self->sound + at * self->factor;
        if (self->factor == 3 && self->taps == 96)
            group(sound, self->kernel, 24, 3, made);
        else
            group(sound, self->kernel, self->taps / 4, self->factor, made);
        int wanted = outputs - at < GROUP ? outputs - at : GROUP;
        memcpy(down + at, made, (size_t)wanted * sizeof *made);
    }
    memmove(self->sound, self->sound + length, (size_t)past * sizeof *self->sound);
}

static PyObject *run(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    Decimator *self = (Decimator *)object;
    Py_buffer block, down;
    if (count_is(count, 2, "run") < 0 || samples_of(arguments[0], &block, 0, -1) < 0)
        return NULL;
    Py_ssize_t outputs = length_of(&block) / self->factor;
    if (outputs * self->factor != length_of(&block)) {
        PyErr_Format(PyExc_ValueError, "a block of %zd is no multiple of %d", length_of(&block), self->factor);
        PyBuffer_Release(&block);
        return NULL;
    }
    if (samples_of(arguments[1], &down, 1, outputs) < 0) {
        PyBuffer_Release(&block);
        return NULL;
    }
    const int16_t *from = block.buf;
    int16_t *into = down.buf;
    for (Py_ssize_t at = 0; at < outputs; at += OUTPUTS_AT_ONCE) {
        Py_ssize_t left = outputs - at;
        some(self, from + at * self->factor, (int)(left < OUTPUTS_AT_ONCE ? left : OUTPUTS_AT_ONCE), into + at);
    }
    PyBuffer_Release(&down);
    PyBuffer_Release(&block);
    Py_RETURN_NONE;
}

static PyObject *clear(PyObject *object, PyObject *Py_UNUSED(nothing)) {
    Decimator *self = (Decimator *)object;
    memset(self->sound, 0, sizeof self->sound);
    Py_RETURN_NONE;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    PyObject *weights;
    int factor;
    Py_buffer kernel;
    static char *names[] = {"", "", NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "Oi", names, &weights, &factor) ||
        floats_of(weights, &kernel, 0, -1) < 0)
        return NULL;
    Py_ssize_t taps = length_of(&kernel);
    if (factor < 1 || factor > MOST_FACTOR || taps < 4 || taps > MOST_TAPS || taps % 4 != 0 || taps % factor != 0) {
        PyErr_Format(PyExc_ValueError, "no decimator divides by %d with %zd taps", factor, taps);
        PyBuffer_Release(&kernel);
        return NULL;
    }
    Decimator *self = (Decimator *)new_object(type);
    if (self != NULL) {
        self->taps = (int)taps;
        self->factor = factor;
        memcpy(self->kernel, kernel.buf, (size_t)kernel.len);
    }
    PyBuffer_Release(&kernel);
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"run", (PyCFunction)(void (*)(void))run, METH_FASTCALL, NULL},
    {"clear", clear, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_decimator(PyObject *module) {
    const char *name = "intercom.media.native._native.Decimator";
    return add_type(module, name, sizeof(Decimator), create, free_object, methods);
}
