/* Types of Python's, whose objects are made by a call of the type and hold no other object. */

#include <string.h>

#include "_native.h"

PyObject *new_object(PyTypeObject *type) {
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    return allocate(type, 0);
}

void free_object(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

int add_type(PyObject *module, const char *name, size_t size, newfunc create, destructor destroy,
             PyMethodDef methods[]) {
    PyType_Slot slots[] = {
        {Py_tp_new, (void *)create},
        {Py_tp_dealloc, (void *)destroy},
        {Py_tp_methods, methods},
        {0, NULL},
    };
    PyType_Spec spec = {
        .name = name,
        .basicsize = (int)size,
        .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
        .slots = slots,
    };
    PyObject *type = PyType_FromModuleAndSpec(module, &spec, NULL);
    int added = type == NULL ? -1 : PyModule_AddObjectRef(module, strrchr(name, '.') + 1, type);
    Py_XDECREF(type);
    return added;
}
