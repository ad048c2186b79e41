"""The way of one sender's packets from encryption to the socket, in one step and, for a picture, in one system call.

aiortc and aioice have five coroutines for it, and all senders of a connection share one SRTP session there. Here each
has a session of its own, from the same keys, and its own handle of the socket: so the sound leaves on the engine's own
thread and neither waits for the event loop nor wakes it. What is sent on a relay goes by the loop.

All of it rests on private names of aiortc 1.16 and aioice 0.13, which are pinned; a test fails when one goes.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from aioice.ice import CandidatePair
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from pylibsrtp import Session

from intercom.media.rtp.native_srtp import packet_writer

if TYPE_CHECKING:
    from intercom.media.native._native import PacketWriter

log = logging.getLogger(__name__)

RTP_COMPONENT = 1
"""ICE's component for RTP, the only one, because RTCP shares it."""
UDP_SEGMENT = 103
"""Option of Linux' udp.h: the kernel cuts one buffer into datagrams of this length (udp(7)); Python has no name for
it."""
CANNOT_CUT = frozenset({errno.EIO, errno.EINVAL, errno.EOPNOTSUPP})
"""Errors of a path that cannot cut buffers: before Linux 6.11 a card that leaves checksums to the processor, or one
whose datagrams are shorter than ours."""


class Outlet:
    """Encrypts and sends one sender's packets; for one thread at a time. Open it on the event loop.

    ConnectionError where the connection is not up, or no longer.
    """

    def __init__(self, dtls: RTCDtlsTransport) -> None:
        if dtls._state is not State.CONNECTED:
            raise ConnectionError("the connection is not up")
        self._dtls = dtls
        self._ice = dtls.transport._connection
        self._loop = asyncio.get_running_loop()
        self._srtp = _session(dtls)
        self._way: CandidatePair | None = None
        self._socket: socket.socket | None = None
        self._writer: PacketWriter | None = None
        self._cuts = False
        self._closed = False

    def send(self, packets: Sequence[bytes]) -> None:
        """Send RTP packets, in their order; what the system refuses is lost, as on any path."""
        way = self._ice._nominated.get(RTP_COMPONENT)
        if self._closed or self._dtls._state is not State.CONNECTED or way is None:
            raise ConnectionError("the connection is not up")
        if way is not self._way:
            self._take(way)
        if self._writer is not None and len(packets) == 1:
            self._send_one(self._writer, way, packets[0])
            return
        sealed = self._sealed(packets)
        if self._socket is None:
            self._leave_to_the_loop(way, sealed)
            return
        if len(sealed) == 1:
            self._send_each(self._socket, way, sealed)
            return
        for run in equally_long(sealed) if self._cuts else [sealed]:
            if len(run) == 1 or not self._send_as_one(self._socket, way, run):
                self._send_each(self._socket, way, run)

    def _sealed(self, packets: Sequence[bytes]) -> list[bytes]:
        if self._writer is not None:
            return self._writer.seal(packets)
        return [self._srtp.protect(packet) for packet in packets]

    def _take(self, way: CandidatePair) -> None:
        self._let_go()
        shared = way.protocol.transport.get_extra_info("socket")  # None of a relay
        if shared is not None:
            try:
                self._socket = shared.dup()
            except OSError as error:
                raise ConnectionError("the connection closes") from error
            self._cuts = _can_cut(self._socket)
            self._writer = packet_writer(self._srtp, self._socket, way.remote_addr)
        self._way = way

    def _send_one(self, writer: PacketWriter, way: CandidatePair, packet: bytes) -> None:
        try:
            waits = writer.send(packet)
        except OSError as error:
            log.debug("a packet was not sent: %s", error)
            return
        if waits is not None:
            self._leave_to_the_loop(way, [waits])

    def _send_as_one(self, through: socket.socket, way: CandidatePair, run: Sequence[bytes]) -> bool:
        """Send packets that the kernel cuts apart, in one call; False if it does not."""
        if not self._cuts:
            return False
        cut = (socket.IPPROTO_UDP, UDP_SEGMENT, struct.pack("=H", len(run[0])))
        try:
            through.sendmsg(run, [cut], 0, way.remote_addr)
        except OSError as error:
            self._cuts = error.errno not in CANNOT_CUT
            return False
        return True

    def _send_each(self, through: socket.socket, way: CandidatePair, sealed: Sequence[bytes]) -> None:
        for index, packet in enumerate(sealed):
            try:
                through.sendto(packet, way.remote_addr)
            except BlockingIOError:
                self._leave_to_the_loop(way, sealed[index:])
                return
            except OSError as error:
                log.debug("a packet was not sent: %s", error)

    def _leave_to_the_loop(self, way: CandidatePair, sealed: Sequence[bytes]) -> None:
        """Send through asyncio, which waits for room, or through a relay."""
        try:
            self._loop.call_soon_threadsafe(self._send_by_the_loop, way, sealed)
        except RuntimeError as error:
            raise ConnectionError("the event loop is closed") from error

    def _send_by_the_loop(self, way: CandidatePair, sealed: Sequence[bytes]) -> None:
        if self._ice._nominated.get(RTP_COMPONENT) is way:  # it may have closed meanwhile
            for packet in sealed:
                way.protocol.transport.sendto(packet, way.remote_addr)

    def close(self) -> None:
        """Release the handle of the socket; nothing is sent any more."""
        self._closed = True
        self._let_go()

    def _let_go(self) -> None:
        self._way = self._writer = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def equally_long(packets: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Yield the packets in runs of the same length; the last of a run may be shorter, as the kernel cuts them."""
    run: list[bytes] = []
    for packet in packets:
        if run and (len(packet) > len(run[0]) or len(run[-1]) < len(run[0])):
            yield run
            run = []
        run.append(packet)
    if run:
        yield run


def _can_cut(through: socket.socket) -> bool:
    """Whether the kernel knows the option; one that does not would send everything as one datagram."""
    try:
        through.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 0)  # off, but for the messages that have their own
    except OSError:
        return False
    return True


def _session(dtls: RTCDtlsTransport) -> Session:
    """Return a new session with the connection's keys: a session counts the packets of each source by itself."""
    shared = dtls._rx_srtp, dtls._tx_srtp
    dtls._setup_srtp()
    own = dtls._tx_srtp
    dtls._rx_srtp, dtls._tx_srtp = shared
    return own
