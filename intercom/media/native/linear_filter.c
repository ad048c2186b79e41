/* The linear echo filter as a Python type: `echo/linear.py` has libspeexdsp's where the module is missing. */

#include "_native.h"
#include "mdf.h"

typedef struct {
    PyObject_HEAD
    struct mdf *mdf;
} LinearFilter;

static PyObject *process(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    LinearFilter *self = (LinearFilter *)object;
    Py_buffer near, far, left;
    if (count_is(count, 3, "process") < 0 || samples_of(arguments[0], &near, 0, -1) < 0)
        return NULL;
    Py_ssize_t length = length_of(&near);
    PyObject *done = NULL;
    if (length % MDF_BLOCK != 0) {
        PyErr_Format(PyExc_ValueError, "a frame of %zd is no multiple of %d", length, (int)MDF_BLOCK);
        goto release_near;
    }
    if (samples_of(arguments[1], &far, 0, length) < 0)
        goto release_near;
    if (samples_of(arguments[2], &left, 1, length) < 0)
        goto release_far;
    mdf_process(self->mdf, near.buf, far.buf, left.buf, (size_t)(length / MDF_BLOCK));
    done = Py_NewRef(Py_None);
    PyBuffer_Release(&left);
release_far:
    PyBuffer_Release(&far);
release_near:
    PyBuffer_Release(&near);
    return done;
}

static PyObject *reset(PyObject *object, PyObject *Py_UNUSED(nothing)) {
    mdf_reset(((LinearFilter *)object)->mdf);
    Py_RETURN_NONE;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {NULL};
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "", names))
        return NULL;
    LinearFilter *self = (LinearFilter *)new_object(type);
    if (self == NULL)
        return NULL;
    self->mdf = mdf_create();
    if (self->mdf == NULL) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void destroy(PyObject *self) {
    mdf_free(((LinearFilter *)self)->mdf);
    free_object(self);
}

static PyMethodDef methods[] = {
    {"process", (PyCFunction)(void (*)(void))process, METH_FASTCALL, NULL},
    {"reset", reset, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL},
};

int add_linear_filter(PyObject *module) {
    const char *name = "intercom.media.native._native.LinearFilter";
    return add_type(module, name, sizeof(LinearFilter), create, destroy, methods);
}
