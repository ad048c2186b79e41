/* A packet's way to the socket: `rtp/outlet.py` has the same in Python. */

#include "_native.h" /* before the system's: Python asks for all that they have */

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "libsrtp.h"

typedef struct {
    PyObject_HEAD
    struct libsrtp srtp;
    int into;
    socklen_t address_length;
    struct sockaddr_storage address;
} PacketWriter;

/* Seal a copy of a packet; returns its length, or -1 with an exception. */
static int seal(const PacketWriter *self, PyObject *packet, unsigned char sealed[LONGEST_SEALED]) {
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(packet, &bytes, &length) < 0)
        return -1;
    if (length < RTP_HEADER || length > LONGEST_SEALED - TRAILER) {
        PyErr_Format(PyExc_ValueError, "a packet of %zd bytes is not sealed", length);
        return -1;
    }
    int count = (int)length;
    memcpy(sealed, bytes, (size_t)length);
    int failed = self->srtp.work(self->srtp.session, sealed, &count);
    if (failed == 0 && count >= length && count <= LONGEST_SEALED)
        return count;
    PyErr_Format(PyExc_ValueError, "libsrtp does not seal a packet: its error %d", failed);
    return -1;
}

static PyObject *send_one(PyObject *object, PyObject *packet) {
    const PacketWriter *self = (PacketWriter *)object;
    unsigned char sealed[LONGEST_SEALED] __attribute__((aligned(16)));
    int count = seal(self, packet, sealed);
    if (count < 0)
        return NULL;
    const struct sockaddr *to = self->address_length ? (const struct sockaddr *)&self->address : NULL;
    if (sendto(self->into, sealed, (size_t)count, MSG_DONTWAIT, to, self->address_length) >= 0)
        Py_RETURN_NONE;
    if (errno == EAGAIN)
        return PyBytes_FromStringAndSize((const char *)sealed, count);
    return PyErr_SetFromErrno(PyExc_OSError);
}

static PyObject *seal_one(const PacketWriter *self, PyObject *packets, Py_ssize_t at) {
    unsigned char sealed[LONGEST_SEALED] __attribute__((aligned(16)));
    PyObject *packet = PySequence_GetItem(packets, at);
    int count = packet == NULL ? -1 : seal(self, packet, sealed);
    Py_XDECREF(packet);
    return count < 0 ? NULL : PyBytes_FromStringAndSize((const char *)sealed, count);
}

static PyObject *seal_each(PyObject *object, PyObject *packets) {
    Py_ssize_t count = PySequence_Size(packets);
    PyObject *all = count < 0 ? NULL : PyList_New(count);
    for (Py_ssize_t at = 0; all != NULL && at < count; at++) {
        PyObject *one = seal_one((PacketWriter *)object, packets, at);
        if (one == NULL || PyList_SetItem(all, at, one) < 0)
            Py_CLEAR(all);
    }
    return all;
}

static int take_address(PacketWriter *self, PyObject *address) {
    char *bytes;
    Py_ssize_t length;
    if (PyBytes_AsStringAndSize(address, &bytes, &length) < 0)
        return -1;
    if (length > (Py_ssize_t)sizeof self->address) {
        PyErr_Format(PyExc_ValueError, "an address of %zd bytes", length);
        return -1;
    }
    memcpy(&self->address, bytes, (size_t)length);
    self->address_length = (socklen_t)length;
    return 0;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {"", "", "", "", NULL};
    PyObject *protect, *session, *descriptor, *address;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "OOOO", names, &protect, &session, &descriptor, &address))
        return NULL;
    struct libsrtp srtp;
    Py_ssize_t into = number_of(descriptor, INT_MAX);
    if (into < 0 || take_addresses(&srtp, protect, session) < 0)
        return NULL;
    PacketWriter *self = (PacketWriter *)new_object(type);
    if (self == NULL)
        return NULL;
    self->srtp = srtp;
    self->into = (int)into;
    if (take_address(self, address) == 0)
        return (PyObject *)self;
    Py_DECREF(self);
    return NULL;
}

static PyMethodDef methods[] = {
    {"seal", seal_each, METH_O, NULL},
    {"send", send_one, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

int add_packet_writer(PyObject *module) {
    const char *name = "intercom.media.native._native.PacketWriter";
    return add_type(module, name, sizeof(PacketWriter), create, free_object, methods);
}
