/* The compiled module: its table. */

#include "_native.h"

static int fill(PyObject *module) {
    if (PyModule_AddIntConstant(module, "VERSION", NATIVE_VERSION) < 0)
        return -1;
    if (add_decimator(module) < 0 || add_levels(module) < 0)
        return -1;
    if (add_varispeed(module) < 0 || add_delay_search(module) < 0)
        return -1;
    if (add_linear_filter(module) < 0 || add_packet_reader(module) < 0)
        return -1;
    if (add_opus(module) < 0 || add_packet_writer(module) < 0)
        return -1;
    return add_passage(module);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void *)fill}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_native", .m_doc = "What the sound path does for every block and packet.", .m_slots = slots,
};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
