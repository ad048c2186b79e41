"""Takes a call's sound from its socket on the thread that plays it, in the turn that needs it.

The event loop would be woken for each packet, and what it does then lies in no cache any more. So it does not watch the
socket while the engine reads it: the engine gives it what is neither sound nor a key, and it looks every quarter of a
second whether the engine still reads. Both may read at once; nothing is lost when one of them stops.

All of it rests on private names of asyncio, aiortc 1.16 and aioice 0.13, which are pinned; a test fails when one goes.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import pylibsrtp
from aioice.ice import StunProtocol
from aiortc import RTCRtpReceiver
from aiortc.rtcdtlstransport import State

from intercom.aiortc_hooks import MOST_WAITING, SessionOfFewSources
from intercom.media.rtp.datagrams import Datagram, reader_of
from intercom.media.rtp.hooks import is_rtcp, is_rtp
from intercom.media.rtp.packet import HEADER_BYTES, Packet, ReceivedPacket, parse
from intercom.media.rtp.steady_clock import earlier
from intercom.tasks import TaskSet

log = logging.getLogger(__name__)

LOOK_S = 0.25
"""Interval at which the loop looks whether the engine still reads: nobody plays what waits meanwhile."""
MOST_AT_ONCE = 32
"""Limit of the datagrams of a turn; where there are more, the loop takes them all for a while. The sound of
twice `LOOK_S`, which waits where the engine was held up, is no flood: to the loop all of it would come only now."""
CALM_S = 1.0
"""Time for which the loop watches the socket after so many came at once."""
NO_STREAM = (0, 128)
"""Source and payload type that no packet has."""
_SSRC = slice(8, 12)
Sound = Callable[[Packet, float], None]


class Inlet:
    """Reads one connection's socket; make and close it on the event loop, and read from any thread.

    ConnectionError where the connection has no socket of its own, as on a relay.
    """

    def __init__(
        self, receiver: RTCRtpReceiver, protocol: StunProtocol, take: Sound, is_known: Callable[[int], bool]
    ) -> None:
        """`protocol` is that of the socket by which the sound comes.

        `take` gets each packet of sound or of a key, and how long ago it came; `is_known` tells a payload type.
        """
        dtls = receiver.transport
        transport: Any = protocol.transport
        shared = transport.get_extra_info("socket")  # None of a relay
        if shared is None or dtls._state is not State.CONNECTED or transport.is_closing():
            raise ConnectionError("the connection has no socket of its own")
        session = dtls._rx_srtp
        if not isinstance(session, SessionOfFewSources):
            raise ConnectionError("the connection's session is not for two threads")
        self._dtls, self._protocol = dtls, protocol
        self._transport = transport
        self._take, self._is_known = take, is_known
        self._streams = receiver._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]  # see the module's docstring
        self._srtp = session
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._socket: socket.socket = shared.dup()
        self._fd = shared.fileno()
        self._reader = reader_of(self._socket, session)
        self._heard = NO_STREAM
        "source and payload type of the last packet: the reader may open what is of the same"
        self._watched = True
        self._calm_at = 0.0
        self._reads = 0
        self._bytes = self._packets = 0
        self._handed_over = self._handled = 0
        self._looking: asyncio.TimerHandle | None = None
        self._reports = TaskSet()
        self._closed = False

    def read(self) -> None:
        """Take what has come; returns at once."""
        self._reads += 1
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self._closed or (self._calm_at and time.monotonic() < self._calm_at):
                return
            if self._read_all() == MOST_AT_ONCE:
                self._calm_at = time.monotonic() + CALM_S
                self._ask(self._watch)
            elif self._watched:
                self._ask(self._leave_alone)
        finally:
            self._lock.release()

    def _read_all(self) -> int:
        """Read what came; returns the number of datagrams."""
        count, is_all = 0, False
        while not is_all and count < MOST_AT_ONCE:
            try:
                came = self._reader.receive()
            except OSError as error:
                log.debug("a datagram was not read: %s", error)
                break
            if not came:
                break
            count += came
            is_all = self._take_what_came()
        return count

    def _take_what_came(self) -> bool:
        """Take what was read; returns whether it is all that had come."""
        source, kind = self._heard if self._dtls._state is State.CONNECTED else NO_STREAM
        with self._srtp.lock:
            opened, closed, is_all = self._reader.tell(source, kind)
        for number, timestamp, payload, age_s, length in opened:
            self._bytes += length
            self._packets += 1
            self._deliver(ReceivedPacket(kind, number, timestamp, source, payload), age_s)
        if closed:
            self._sort(closed)
        return is_all

    def _sort(self, datagrams: list[Datagram]) -> None:
        """Take what is ours, and give the loop what is not."""
        others: list[Datagram] = []
        for data, address, age_s in datagrams:
            if self._is_ours(data):
                self._unseal(data, age_s)
            else:
                others.append((data, address, age_s))
        if others and self._handed_over - self._handled < MOST_WAITING:  # else the loop is held up, and they are lost
            self._handed_over += len(others)
            self._ask(self._give, others)

    def _is_ours(self, data: bytes) -> bool:
        if len(data) < HEADER_BYTES or not is_rtp(data) or self._dtls._state is not State.CONNECTED:
            return False
        return int.from_bytes(data[_SSRC], "big") in self._streams and self._is_known(data[1] & 0x7F)

    def _unseal(self, data: bytes, age_s: float) -> None:
        self._bytes += len(data)
        self._packets += 1
        try:
            packet = parse(self._srtp.unprotect(data))
        except (pylibsrtp.Error, ValueError) as error:
            log.debug("ignored %d bytes that are no packet of this call: %s", len(data), error)
            return
        self._heard = packet.ssrc, packet.payload_type
        self._deliver(packet, age_s)

    def _deliver(self, packet: Packet, age_s: float) -> None:
        try:
            self._take(packet, age_s)
        except Exception:
            log.exception("a packet of the far end was not taken")  # the engine would take it for its speaker's end

    def _ask(self, what: Callable[..., None], *given: object) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *given)
        except RuntimeError:
            log.debug("the event loop is closed")

    # The event loop

    def _give(self, datagrams: list[Datagram]) -> None:
        self._handled += len(datagrams)
        for data, address, age_s in datagrams:
            if self._dtls._state is State.CONNECTED and is_rtcp(data):
                self._reports.spawn(self._report(data, age_s))
            else:
                # one by one: an error is that one's alone
                self._loop.call_soon(self._protocol.datagram_received, data, address)

    async def _report(self, data: bytes, age_s: float) -> None:
        """Take a report at the time at which it came: round trips are reckoned by it."""
        self._bytes += len(data)
        self._packets += 1
        try:
            reports = self._srtp.unprotect_rtcp(data)
        except pylibsrtp.Error as error:
            log.debug("ignored %d bytes that are no report of this call: %s", len(data), error)
            return
        with earlier(age_s):
            await self._dtls._handle_rtcp_data(reports)

    def _leave_alone(self) -> None:
        if self._transport.is_closing():
            self.close()
        elif self._watched and not self._closed:
            self._loop._remove_reader(self._fd)  # type: ignore[attr-defined]  # see the module's docstring
            self._watched = False
            self._looking = self._loop.call_later(LOOK_S, self._look, self._reads)

    def _look(self, reads: int) -> None:
        self._tell_counts()
        if self._watched or self._closed:
            return
        if self._transport.is_closing():
            self.close()
        elif self._reads == reads:
            self.read()
            self._watch()
        else:
            self._looking = self._loop.call_later(LOOK_S, self._look, self._reads)

    def _tell_counts(self) -> None:
        """Add what was read to the transport's counts, which belong to the loop."""
        length, count, self._bytes, self._packets = self._bytes, self._packets, 0, 0
        self._dtls._RTCDtlsTransport__rx_bytes += length  # type: ignore[attr-defined]  # see the module's docstring
        self._dtls._RTCDtlsTransport__rx_packets += count  # type: ignore[attr-defined]  # idem

    def _watch(self) -> None:
        if not self._watched and not self._transport.is_closing():
            self._watched = True
            self._loop._add_reader(self._fd, self._transport._read_ready)  # type: ignore[attr-defined]  # idem

    def close(self) -> None:
        """Leave the socket to the loop; nothing is read any more."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._socket.close()
                self._watch()
                self._tell_counts()
        if self._looking is not None:
            self._looking.cancel()
