"""Reads datagrams from a socket, with the time at which the kernel got each."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from typing import Any, Protocol

from pylibsrtp import Session

from intercom.media.rtp.native_srtp import packet_reader

LONGEST_BYTES = 2048
"""Limit of a datagram: a longer one is no packet of sound, and cut it is no STUN either."""
SO_TIMESTAMPNS = 35
"""Option of Linux' asm-generic/socket.h: the kernel tells when each datagram came; Python has no name for it."""
_STAMP = struct.Struct("=qq")
Opened = tuple[int, int, bytes, float, int]
"""Number, timestamp, payload, seconds since it came, and the datagram's length of a packet."""
Datagram = tuple[bytes, Any, float]
"""A datagram, its sender's address, and seconds since it came."""


class Reader(Protocol):
    """Reads a socket, and may open the packets of one stream."""

    def receive(self) -> int:
        """Read some of what has come, at once, and return the number of datagrams; OSError of the socket's."""

    def tell(self, source: int, kind: int, /) -> tuple[list[Opened], list[Datagram], bool]:
        """Return what was received, once: opened packets of this source and payload type, if it opens any; the others.

        At last whether this is all that had come. Hold the session's lock.
        """


class PythonReader:
    """Reads one datagram at a time, and opens none."""

    def __init__(self, through: socket.socket) -> None:
        self._socket = through
        self._emptied_at = time.monotonic()
        self._came: list[Datagram] = []

    def receive(self) -> int:
        """Read a datagram."""
        now = time.monotonic()
        try:
            data, ancillary, _, address = self._socket.recvmsg(LONGEST_BYTES, 64, socket.MSG_DONTWAIT)
        except BlockingIOError:
            self._emptied_at = now
            return 0
        self._came = [(data, address, age_s(ancillary, now - self._emptied_at))]
        return 1

    def tell(self, source: int, kind: int, /) -> tuple[list[Opened], list[Datagram], bool]:
        """Return it."""
        came, self._came = self._came, []
        return [], came, False


def reader_of(through: socket.socket, session: Session) -> Reader:
    """Return a reader of a socket, which opens packets with `session` where it can; both have to outlive it."""
    with contextlib.suppress(OSError):  # a kernel that does not tell
        through.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    return packet_reader(session, through) or PythonReader(through)


def age_s(ancillary: list[tuple[int, int, bytes]], longest_s: float) -> float:
    """Return how long ago a datagram came, at most `longest_s`, as the time of day may jump; 0 where nobody tells."""
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(data) == _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack(data)
            came_s: float = time.time() - seconds - nanoseconds / 1e9
            return min(max(0.0, came_s), longest_s)
    return 0.0
