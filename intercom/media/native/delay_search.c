/* How many filters of WebRTC's canceller look for the echo's delay: `echo/delay_search.py` says why, and how.

   Its configuration's constructor is defined here by the name that C++ gives it (Itanium C++ ABI, 5.1): whoever calls
   it finds this one first, where this library is shown to the whole process. */

#include <stddef.h>
#include <stdint.h>

#include "_native.h"

/* The first members of WebRTC's `EchoCanceller3Config::Delay`. */
struct delay {
    size_t default_delay;
    size_t down_sampling_factor;
    size_t num_filters;
    size_t delay_headroom_samples;
    size_t hysteresis_limit_blocks;
    size_t fixed_capture_delay_samples;
};

static const struct delay known = {5, 4, 5, 32, 1, 0};

static void (*theirs)(struct delay *);
static size_t filters;
static long chosen;

static int is_known(const struct delay *delay) {
    return delay->default_delay == known.default_delay && delay->down_sampling_factor == known.down_sampling_factor &&
           delay->num_filters == known.num_filters && delay->delay_headroom_samples == known.delay_headroom_samples &&
           delay->hysteresis_limit_blocks == known.hysteresis_limit_blocks &&
           delay->fixed_capture_delay_samples == known.fixed_capture_delay_samples;
}

void construct(struct delay *delay) __asm__("_ZN6webrtc20EchoCanceller3Config5DelayC1Ev")
    __attribute__((visibility("default")));

void construct(struct delay *delay) {
    if (theirs == NULL)
        Py_FatalError("WebRTC's canceller is made before its own constructor is known");
    theirs(delay);
    if (is_known(delay)) {
        delay->num_filters = filters;
        chosen++;
    }
}

static PyObject *choose_filters(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    if (count_is(count, 2, "choose_filters") < 0)
        return NULL;
    uintptr_t address = (uintptr_t)PyLong_AsSize_t(arguments[0]);
    size_t wanted = PyErr_Occurred() ? 0 : PyLong_AsSize_t(arguments[1]);
    if (PyErr_Occurred())
        return NULL;
    if (address == 0 || wanted < 1 || wanted > known.num_filters) {
        PyErr_SetString(PyExc_ValueError, "an address, and one to five filters");
        return NULL;
    }
    theirs = (void (*)(struct delay *))address;
    filters = wanted;
    return PyLong_FromLong(chosen);
}

static PyMethodDef functions[] = {
    {"choose_filters", (PyCFunction)(void (*)(void))choose_filters, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_delay_search(PyObject *module) { return PyModule_AddFunctions(module, functions); }
