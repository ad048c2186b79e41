/* Datagrams from a socket, and the sound in them: `rtp/datagrams.py` has the same in Python, but that it opens none.

   What is read here comes from strangers: each length is held against its buffer before a byte is looked at. */

#include "_native.h" /* before the system's: Python asks for all that they have */

#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "libsrtp.h"

enum { AT_ONCE = 2, LONGEST = 2048, STAMP = 35 /* SO_TIMESTAMPNS */ };

struct arrival {
    unsigned char data[LONGEST];
    struct sockaddr_storage from;
    union {
        struct cmsghdr head;
        char room[64];
    } told;
    struct iovec room;
};

typedef struct {
    PyObject_HEAD
    struct libsrtp srtp;
    int from, count;         /* the socket, and how many datagrams have come and are not told yet */
    struct timespec emptied; /* when nothing was left in the socket */
    double longest_s;        /* how long ago those that came may have come */
    struct arrival arrived[AT_ONCE];
    struct mmsghdr messages[AT_ONCE];
} PacketReader;

/* The stream that is opened here. */
struct stream {
    uint32_t source;
    unsigned kind;
};

struct sound {
    uint16_t number;
    uint32_t timestamp;
    int begin, end; /* of the payload in what was opened */
};

static uint32_t number4(const unsigned char *at) {
    uint32_t big;
    memcpy(&big, at, sizeof big);
    return ntohl(big);
}

/* Whether a datagram is RTP of this stream and not RTCP (RFC 7983 section 7, RFC 5761 section 4). */
static int is_of(const struct stream *stream, const unsigned char *data, int length) {
    if (length < RTP_HEADER || data[0] >> 6 != 2 || (data[1] >= 192 && data[1] <= 223))
        return 0;
    return (data[1] & 0x7Fu) == stream->kind && number4(data + 8) == stream->source;
}

/* Find the payload of an opened packet (RFC 3550 section 5.1); 0 where it is cut. */
static int parse(const unsigned char *data, int length, struct sound *sound) {
    if (length < RTP_HEADER)
        return 0;
    int begin = RTP_HEADER + 4 * (data[0] & 0x0F), end = length;
    if (data[0] & 0x10) {
        if (begin + 4 > length)
            return 0;
        begin += 4 + 4 * (data[begin + 2] << 8 | data[begin + 3]);
    }
    if (data[0] & 0x20)
        end -= data[length - 1] ? data[length - 1] : end;
    if (begin > end)
        return 0;
    *sound = (struct sound){(uint16_t)(data[2] << 8 | data[3]), number4(data + 4), begin, end};
    return 1;
}

/* Open a copy of a datagram of the stream into `clear`; 0 where it is no packet of this call. */
static int open_copy(const PacketReader *self, const struct stream *stream, const unsigned char *data, int length,
                     unsigned char clear[LONGEST_SEALED], struct sound *sound) {
    if (length > LONGEST_SEALED || !is_of(stream, data, length))
        return 0;
    int opened = length;
    memcpy(clear, data, (size_t)length);
    return self->srtp.work(self->srtp.session, clear, &opened) == 0 && opened <= length &&
           parse(clear, opened, sound);
}

static double between_s(const struct timespec *begin, const struct timespec *end) {
    return (double)(end->tv_sec - begin->tv_sec) + (double)(end->tv_nsec - begin->tv_nsec) / 1e9;
}

/* How long ago it came, at most `longest_s`, as the time of day may jump; 0 where nobody tells. */
static double age_s(struct msghdr *head, const struct timespec *now, double longest_s) {
    struct timespec came;
    struct cmsghdr *told = CMSG_FIRSTHDR(head);
    if (told == NULL || told->cmsg_level != SOL_SOCKET || told->cmsg_type != STAMP ||
        told->cmsg_len != CMSG_LEN(sizeof came))
        return 0;
    memcpy(&came, CMSG_DATA(told), sizeof came);
    double age = between_s(&came, now);
    return age < 0 ? 0 : age > longest_s ? longest_s : age;
}

/* The address as Python's sockets give it; None of another kind. */
static PyObject *address_of(const struct msghdr *head) {
    char text[INET6_ADDRSTRLEN];
    const struct sockaddr_storage *from = head->msg_name;
    if (head->msg_namelen >= sizeof(struct sockaddr_in) && from->ss_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)from;
        inet_ntop(AF_INET, &four->sin_addr, text, sizeof text);
        return Py_BuildValue("(sH)", text, ntohs(four->sin_port));
    }
    if (head->msg_namelen >= sizeof(struct sockaddr_in6) && from->ss_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)from;
        inet_ntop(AF_INET6, &six->sin6_addr, text, sizeof text);
        return Py_BuildValue("(sHII)", text, ntohs(six->sin6_port), ntohl(six->sin6_flowinfo), six->sin6_scope_id);
    }
    return Py_NewRef(Py_None);
}

/* Append a new reference, which is NULL after an exception; 0, or -1 with an exception. */
static int append(PyObject *list, PyObject *item) {
    int done = item == NULL ? -1 : PyList_Append(list, item);
    Py_XDECREF(item);
    return done;
}

static int sort_in(const PacketReader *self, const struct stream *stream, struct mmsghdr *message, double age,
                   PyObject *sounds, PyObject *others) {
    const unsigned char *data = message->msg_hdr.msg_iov->iov_base;
    int length = (int)message->msg_len, is_cut = message->msg_hdr.msg_flags & MSG_TRUNC;
    unsigned char clear[LONGEST_SEALED] __attribute__((aligned(16)));
    struct sound sound;
    int is_first = PyList_Size(others) == 0; /* what comes after another is not to be taken before it */
    if (is_first && !is_cut && open_copy(self, stream, data, length, clear, &sound))
        return append(sounds, Py_BuildValue("(HIy#di)", sound.number, sound.timestamp, (char *)clear + sound.begin,
                                            (Py_ssize_t)(sound.end - sound.begin), age, length));
    return append(others, Py_BuildValue("(y#Nd)", (const char *)data, (Py_ssize_t)length, address_of(&message->msg_hdr),
                                        age));
}

static PyObject *receive(PyObject *object, PyObject *Py_UNUSED(nothing)) {
    PacketReader *self = (PacketReader *)object;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    for (int at = 0; at < AT_ONCE; at++) {
        struct arrival *arrived = &self->arrived[at];
        arrived->room = (struct iovec){arrived->data, sizeof arrived->data};
        self->messages[at].msg_len = 0;
        self->messages[at].msg_hdr = (struct msghdr){
            .msg_name = &arrived->from,
            .msg_namelen = sizeof arrived->from,
            .msg_iov = &arrived->room,
            .msg_iovlen = 1,
            .msg_control = &arrived->told,
            .msg_controllen = sizeof arrived->told,
        };
    }
    int count = recvmmsg(self->from, self->messages, AT_ONCE, MSG_DONTWAIT, NULL);
    self->count = count < 0 ? 0 : count;
    self->longest_s = between_s(&self->emptied, &now);
    if (count < 0 && errno != EAGAIN)
        return PyErr_SetFromErrno(PyExc_OSError);
    if (self->count < AT_ONCE)
        self->emptied = now;
    return PyLong_FromLong(self->count);
}

/* 0, or -1 with an exception. */
static int sort_all(PacketReader *self, const struct stream *stream, PyObject *sounds, PyObject *others) {
    struct timespec now;
    int count = self->count;
    self->count = 0;
    clock_gettime(CLOCK_REALTIME, &now);
    for (int at = 0; at < count; at++) {
        double age = age_s(&self->messages[at].msg_hdr, &now, self->longest_s);
        if (sort_in(self, stream, &self->messages[at], age, sounds, others) < 0)
            return -1;
    }
    return 0;
}

static PyObject *tell(PyObject *object, PyObject *const *arguments, Py_ssize_t count) {
    PacketReader *self = (PacketReader *)object;
    if (count_is(count, 2, "tell") < 0)
        return NULL;
    Py_ssize_t source = number_of(arguments[0], UINT32_MAX), kind = source < 0 ? -1 : number_of(arguments[1], 128);
    if (kind < 0)
        return NULL;
    struct stream stream = {(uint32_t)source, (unsigned)kind};
    PyObject *is_all = self->count < AT_ONCE ? Py_True : Py_False, *told = NULL;
    PyObject *sounds = PyList_New(0), *others = PyList_New(0);
    if (sounds != NULL && others != NULL && sort_all(self, &stream, sounds, others) == 0)
        told = Py_BuildValue("(OOO)", sounds, others, is_all);
    Py_XDECREF(sounds);
    Py_XDECREF(others);
    return told;
}

static PyObject *create(PyTypeObject *type, PyObject *arguments, PyObject *named) {
    static char *names[] = {"", "", "", NULL};
    PyObject *unprotect, *session, *descriptor;
    struct libsrtp srtp;
    if (!PyArg_ParseTupleAndKeywords(arguments, named, "OOO", names, &unprotect, &session, &descriptor))
        return NULL;
    Py_ssize_t from = number_of(descriptor, INT_MAX);
    if (from < 0 || take_addresses(&srtp, unprotect, session) < 0)
        return NULL;
    PacketReader *self = (PacketReader *)new_object(type);
    if (self != NULL) {
        self->srtp = srtp;
        self->from = (int)from;
        clock_gettime(CLOCK_MONOTONIC, &self->emptied);
    }
    return (PyObject *)self;
}

static PyMethodDef methods[] = {
    {"receive", receive, METH_NOARGS, NULL},
    {"tell", (PyCFunction)(void (*)(void))tell, METH_FASTCALL, NULL},
    {NULL, NULL, 0, NULL},
};

int add_packet_reader(PyObject *module) {
    const char *name = "intercom.media.native._native.PacketReader";
    return add_type(module, name, sizeof(PacketReader), create, free_object, methods);
}
