/* libsrtp, by the addresses that pylibsrtp has of its functions and of a session: `rtp/native_srtp.py` tells them. */

#ifndef INTERCOM_LIBSRTP_H
#define INTERCOM_LIBSRTP_H

#include "_native.h"

#include <string.h>

enum { RTP_HEADER = 12, LONGEST_SEALED = 1500, TRAILER = 16 + 128 /* libsrtp's SRTP_MAX_TRAILER_LEN */ };

struct libsrtp {
    /* Seals or opens a packet where it lies: it gets the length, and writes the new one; 0 when it did. */
    int (*work)(void *session, void *packet, int *length);
    void *session;
};

/* 0, or -1 with an exception. */
static inline int take_addresses(struct libsrtp *taken, PyObject *function, PyObject *session) {
    void *work;
    if (addresses_of(function, session, &work, &taken->session) < 0)
        return -1;
    memcpy(&taken->work, &work, sizeof work);
    return 0;
}

#endif
