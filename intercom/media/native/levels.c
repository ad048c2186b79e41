/* Energy and peak of samples: `energy.py` has the same in NumPy. */

#include "_native.h"
#include "levels.h"

static PyObject *energy(PyObject *Py_UNUSED(module), PyObject *array) {
    Py_buffer samples;
    if (samples_of(array, &samples, 0, -1) < 0)
        return NULL;
    int64_t sum = squares(samples.buf, length_of(&samples));
    PyBuffer_Release(&samples);
    return PyFloat_FromDouble((double)sum);
}

static PyObject *peak(PyObject *Py_UNUSED(module), PyObject *array) {
    Py_buffer view;
    if (samples_of(array, &view, 0, -1) < 0)
        return NULL;
    const int16_t *samples = view.buf;
    int16_t highest = 0, lowest = 0;
    for (Py_ssize_t at = 0, count = length_of(&view); at < count; at++) {
        highest = samples[at] > highest ? samples[at] : highest;
        lowest = samples[at] < lowest ? samples[at] : lowest;
    }
    PyBuffer_Release(&view);
    return PyLong_FromLong(highest > -lowest ? highest : -lowest);
}

static PyObject *of_block(const int16_t *left, const int16_t *near, const int16_t *cleaned, Py_ssize_t length) {
    return Py_BuildValue("(ddd)", (double)squares(left, length), (double)squared_differences(near, left, length),
                         (double)squares(cleaned, length));
}

static PyObject *of_blocks(const int16_t *left, const int16_t *near, const int16_t *cleaned, Py_ssize_t blocks,
                           Py_ssize_t length) {
    PyObject *all = PyList_New(blocks);
    for (Py_ssize_t at = 0; all != NULL && at < blocks; at++) {
        Py_ssize_t begin = at * length;
        PyObject *one = of_block(left + begin, near + begin, cleaned + begin, length);
        if (one == NULL || PyList_SetItem(all, at, one) < 0)
            Py_CLEAR(all);
    }
    return all;
}

static PyObject *echo_energies(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    Py_buffer views[3];
    if (count_is(count, 4, "echo_energies") < 0)
        return NULL;
    Py_ssize_t length = PyNumber_AsSsize_t(arguments[3], PyExc_ValueError);
    if (length == -1 && PyErr_Occurred())
        return NULL;
    int taken = 0;
    while (taken < 3 && samples_of(arguments[taken], &views[taken], 0, taken ? length_of(&views[0]) : -1) == 0)
        taken++;
    PyObject *all = NULL;
    if (taken == 3 && (length < 1 || length_of(&views[0]) % length != 0))
        PyErr_Format(PyExc_ValueError, "%zd samples are no blocks of %zd", length_of(&views[0]), length);
    else if (taken == 3)
        all = of_blocks(views[0].buf, views[1].buf, views[2].buf, length_of(&views[0]) / length, length);
    while (taken > 0)
        PyBuffer_Release(&views[--taken]);
    return all;
}

static PyMethodDef functions[] = {
    {"energy", energy, METH_O, NULL},
    {"peak", peak, METH_O, NULL},
    {"echo_energies", (PyCFunction)(void (*)(void))echo_energies, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_levels(PyObject *module) { return PyModule_AddFunctions(module, functions); }
