/* What the files of the compiled module share: CPython's limited API, types, and arrays by the buffer protocol. */

#ifndef INTERCOM_NATIVE_H
#define INTERCOM_NATIVE_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

/* module.py has the same: a module of another version is not used. */
#define NATIVE_VERSION 11

/* Each adds its types and functions to the module; 0, or -1 with an exception. */
int add_decimator(PyObject *module);
int add_delay_search(PyObject *module);
int add_linear_filter(PyObject *module);
int add_levels(PyObject *module);
int add_opus(PyObject *module);
int add_packet_reader(PyObject *module);
int add_packet_writer(PyObject *module);
int add_passage(PyObject *module);
int add_varispeed(PyObject *module);

/* Add a type, whose name is whole and a constant: `create` is its `__new__`, which gets its memory from new_object();
   `destroy` ends with free_object(), or is it. */
int add_type(PyObject *module, const char *name, size_t size, newfunc create, destructor destroy, PyMethodDef methods[]);
PyObject *new_object(PyTypeObject *type);
void free_object(PyObject *object);

/* Take an array of int16 or of float32: one-dimensional, contiguous, `length` long unless that is -1.
   0 and a view that is to be released, or -1 with an exception and none. */
int samples_of(PyObject *array, Py_buffer *view, int writable, Py_ssize_t length);
int floats_of(PyObject *array, Py_buffer *view, int writable, Py_ssize_t length);

/* The number of elements of a view. */
static inline Py_ssize_t length_of(const Py_buffer *view) { return view->len / view->itemsize; }

/* A number from 0 to `most`, or -1 with an exception. */
Py_ssize_t number_of(PyObject *object, Py_ssize_t most);

/* Take the addresses of another library's function and of what it works on: both are numbers, and none is 0.
   0, or -1 with an exception. */
int addresses_of(PyObject *function, PyObject *object, void **taken_function, void **taken_object);

/* 0, or -1 with a TypeError when a call has another number of arguments. */
int count_is(Py_ssize_t count, Py_ssize_t wanted, const char *function);

#endif
