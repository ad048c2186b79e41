/* What the module is given: arrays by the buffer protocol, of one type, one-dimensional and contiguous; numbers, and
   addresses. What does not fit is an exception. */

#include <stdint.h>

#include "_native.h"

static int fits(const Py_buffer *view, Py_ssize_t length, char format, Py_ssize_t size) {
    if (view->format == NULL || view->format[0] != format || view->format[1] != '\0' || view->itemsize != size) {
        PyErr_Format(PyExc_TypeError, "an array of type '%c' is wanted, not '%s'", format,
                     view->format == NULL ? "B" : view->format);
        return 0;
    }
    if (view->ndim != 1) {
        PyErr_Format(PyExc_ValueError, "an array of one dimension is wanted, not of %d", view->ndim);
        return 0;
    }
    if (length >= 0 && length_of(view) != length) {
        PyErr_Format(PyExc_ValueError, "an array of %zd is wanted, not of %zd", length, length_of(view));
        return 0;
    }
    if ((uintptr_t)view->buf % (uintptr_t)size != 0) {
        PyErr_SetString(PyExc_ValueError, "the array does not begin where its type may lie");
        return 0;
    }
    return 1;
}

static int take(PyObject *array, Py_buffer *view, int writable, Py_ssize_t length, char format, Py_ssize_t size) {
    if (PyObject_GetBuffer(array, view, PyBUF_FORMAT | PyBUF_ND | (writable ? PyBUF_WRITABLE : 0)) < 0) {
        if (PyErr_ExceptionMatches(PyExc_BufferError)) {
            PyErr_Clear();
            PyErr_SetString(PyExc_ValueError, "the array is read-only or not contiguous");
        }
        return -1;
    }
    if (fits(view, length, format, size))
        return 0;
    PyBuffer_Release(view);
    return -1;
}

int samples_of(PyObject *array, Py_buffer *view, int writable, Py_ssize_t length) {
    return take(array, view, writable, length, 'h', sizeof(int16_t));
}

int floats_of(PyObject *array, Py_buffer *view, int writable, Py_ssize_t length) {
    return take(array, view, writable, length, 'f', sizeof(float));
}

int addresses_of(PyObject *function, PyObject *object, void **taken_function, void **taken_object) {
    *taken_function = PyLong_AsVoidPtr(function);
    *taken_object = PyErr_Occurred() ? NULL : PyLong_AsVoidPtr(object);
    if (*taken_function != NULL && *taken_object != NULL)
        return 0;
    if (!PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "an address is not 0");
    return -1;
}

int count_is(Py_ssize_t count, Py_ssize_t wanted, const char *function) {
    if (count == wanted)
        return 0;
    PyErr_Format(PyExc_TypeError, "%s takes %zd arguments, not %zd", function, wanted, count);
    return -1;
}

Py_ssize_t number_of(PyObject *object, Py_ssize_t most) {
    Py_ssize_t number = PyNumber_AsSsize_t(object, PyExc_ValueError);
    if (!PyErr_Occurred() && number >= 0 && number <= most)
        return number;
    if (!PyErr_Occurred())
        PyErr_Format(PyExc_ValueError, "%zd is not from 0 to %zd", number, most);
    return -1;
}
