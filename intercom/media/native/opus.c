/* libopus' encoder and decoder for one voice, by their addresses: `codec/libopus.py` calls them by ctypes as well. */

#include "_native.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>

enum { LONGEST_FRAME = 1275 /* RFC 6716 section 3.2.1 */ };

typedef int32_t (*encode_function)(void *state, const int16_t *sound, int samples, unsigned char *packet, int32_t room);
typedef int (*decode_function)(void *state, const unsigned char *packet, int32_t length, int16_t *sound, int samples,
                               int redundancy);

static int is_countable(Py_ssize_t length) {
    if (length <= INT_MAX)
        return 1;
    PyErr_Format(PyExc_ValueError, "libopus does not count to %zd", length);
    return 0;
}

static PyObject *encode(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    void *function, *state;
    Py_buffer sound;
    if (count_is(count, 3, "opus_encode") < 0 || addresses_of(arguments[0], arguments[1], &function, &state) < 0)
        return NULL;
    if (samples_of(arguments[2], &sound, 0, -1) < 0)
        return NULL;
    PyObject *made = NULL;
    if (is_countable(length_of(&sound))) {
        unsigned char packet[LONGEST_FRAME];
        encode_function work;
        int32_t size;
        memcpy(&work, &function, sizeof work);
        Py_BEGIN_ALLOW_THREADS
        size = work(state, sound.buf, (int)length_of(&sound), packet, sizeof packet);
        Py_END_ALLOW_THREADS
        made = size < 0 ? PyLong_FromLong(size) : PyBytes_FromStringAndSize((const char *)packet, size);
    }
    PyBuffer_Release(&sound);
    return made;
}

static PyObject *decode(PyObject *Py_UNUSED(module), PyObject *const *arguments, Py_ssize_t count) {
    void *function, *state;
    char *packet;
    Py_ssize_t length;
    Py_buffer sound;
    if (count_is(count, 5, "opus_decode") < 0 || addresses_of(arguments[0], arguments[1], &function, &state) < 0)
        return NULL;
    int redundancy = PyObject_IsTrue(arguments[4]);
    if (redundancy < 0 || PyBytes_AsStringAndSize(arguments[2], &packet, &length) < 0)
        return NULL;
    if (samples_of(arguments[3], &sound, 1, -1) < 0)
        return NULL;
    PyObject *made = NULL;
    if (is_countable(length) && is_countable(length_of(&sound))) {
        decode_function work;
        int samples;
        memcpy(&work, &function, sizeof work);
        Py_BEGIN_ALLOW_THREADS
        samples = work(state, (const unsigned char *)packet, (int32_t)length, sound.buf, (int)length_of(&sound), redundancy);
        Py_END_ALLOW_THREADS
        made = PyLong_FromLong(samples);
    }
    PyBuffer_Release(&sound);
    return made;
}

static PyMethodDef methods[] = {
    {"opus_encode", (PyCFunction)(void (*)(void))encode, METH_FASTCALL, NULL},
    {"opus_decode", (PyCFunction)(void (*)(void))decode, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_opus(PyObject *module) { return PyModule_AddFunctions(module, methods); }
