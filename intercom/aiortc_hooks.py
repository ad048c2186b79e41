"""Hooks into aiortc and aioice against strangers' datagrams and far ends that flood; the door and the echo share them.

Everything here rests on private names of aiortc 1.16 and aioice 0.13. They are pinned, and a test fails when a name
goes. It costs the import of aiortc: import it with the first call.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import queue
import struct
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from aioice import Connection, stun
from aiortc import RTCPeerConnection, RTCRtpReceiver, RTCRtpSender, rtcdtlstransport
from aiortc.exceptions import InvalidStateError
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpreceiver import RemoteStreamTrack, StreamStatistics
from pylibsrtp import Error, Policy, Session

log = logging.getLogger(__name__)

MOST_WAITING = 512
"""Limit of datagrams that wait for their reader: half a second of a call, and far more than a handshake has."""
MOST_SOURCES = 256
"""Limit of a connection's sources: SRTP keeps a state for each. A server changes its source at a hold or a transfer."""
MOST_REPORTED = 16
"""Limit of the sources that we report on, the newest: a report has room for 31 (RFC 3550 section 6.4.2)."""
MOST_FRAMES = 64
"""Limit of frames that wait for aiortc's decoder, and for whoever reads its track: more than a second of sound."""

RTP_SOURCE = slice(8, 12)
"""Position of the source in an RTP packet."""
RTCP_SOURCE = slice(4, 8)
"""Position of the source in an RTCP packet."""

_parse = stun.parse_message
_take = Connection.data_received
_begin = RTCRtpReceiver.__init__
_begin_track = RemoteStreamTrack.__init__
_report_received = RTCRtpReceiver._run_rtcp
_report_sent = RTCRtpSender._run_rtcp


def bear_an_early_end(connection: RTCPeerConnection) -> None:
    """Let a connection be closed while it connects; call it before the first description, harmless when repeated.

    aiortc's task that connects ends with an error then, which nobody fetches and the log shows with its traceback.
    """
    connect = connection._RTCPeerConnection__connect  # type: ignore[attr-defined]  # see the module's docstring
    if not isinstance(connect, functools.partial):
        quiet = functools.partial(_connect_while_open, connection, connect)
        connection._RTCPeerConnection__connect = quiet  # type: ignore[attr-defined]  # idem


async def _connect_while_open(connection: RTCPeerConnection, connect: Callable[[], Awaitable[None]]) -> None:
    try:
        await connect()
    except (InvalidStateError, ConnectionError) as error:
        if connection.signalingState != "closed":  # so it is from the first moment of a close
            raise
        log.debug("closed while it connected: %s", error)


def outlast_any_far_end() -> None:
    """Make aiortc's connections survive whatever is sent to them, within bounded memory; harmless when repeated.

    It holds for connections made from then on. Of what a STUN message that is cut within an attribute raises, aioice
    catches ValueError alone: the rest is logged with its traceback, each time. A datagram without a byte, or one that
    SRTP has no room for, ends aiortc's reader, and the call with it. What waits for a reader that is slow, or does not
    read yet, has no end, nor have a far end's sources. A report on more sources than fit into it ends the task that
    writes reports, and close() waits for that task for ever.
    """
    stun.parse_message = _parse_any
    Connection.data_received = _take_some  # type: ignore[method-assign]  # see the module's docstring
    rtcdtlstransport.Session = SessionOfFewSources  # type: ignore[attr-defined]  # idem
    RTCRtpReceiver.__init__ = _begin_bounded  # type: ignore[method-assign]  # idem
    RemoteStreamTrack.__init__ = _begin_bounded_track  # type: ignore[method-assign]  # idem
    RTCRtpReceiver._run_rtcp = _report_received_to_the_end  # type: ignore[method-assign]  # idem
    RTCRtpSender._run_rtcp = _report_sent_to_the_end  # type: ignore[method-assign]  # idem


class SessionOfFewSources(Session):
    """An SRTP session that refuses a source beyond `MOST_SOURCES`, and a packet that it has no room for.

    Two threads may decrypt with it.
    """

    def __init__(self, policy: Policy | None = None) -> None:
        super().__init__(policy)
        self._sources: set[bytes] = set()
        self.lock = threading.Lock()
        """Held by whoever decrypts."""

    def unprotect(self, packet: bytes) -> bytes:
        """Decrypt an RTP packet; raises `pylibsrtp.Error`."""
        return self._through(super().unprotect, packet, packet[RTP_SOURCE])

    def unprotect_rtcp(self, packet: bytes) -> bytes:
        """Decrypt an RTCP packet; raises `pylibsrtp.Error`."""
        return self._through(super().unprotect_rtcp, packet, packet[RTCP_SOURCE])

    def _through(self, decrypt: Callable[[bytes], bytes], packet: bytes, source: bytes) -> bytes:
        with self.lock:
            if len(self._sources) >= MOST_SOURCES and source not in self._sources:
                raise Error("one source more than a far end may have")
            try:
                clear = decrypt(packet)
            except ValueError as error:
                raise Error(str(error)) from error
            self._sources.add(source)  # only now: a stranger could name any
            return clear


class NewestStreams(dict[int, StreamStatistics]):
    """A receiver's statistics by source, of the newest `MOST_REPORTED`."""

    def __setitem__(self, source: int, statistics: StreamStatistics) -> None:
        if source not in self and len(self) >= MOST_REPORTED:
            del self[next(iter(self))]
        super().__setitem__(source, statistics)


class _FewEncoded(queue.Queue[Any]):
    """The frames that wait for a decoder thread; None ends it. One beyond the limit is dropped."""

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        if item is None or self.qsize() < MOST_FRAMES:
            super().put(item, block, timeout)


class _FewDecoded(asyncio.Queue[Any]):
    """The frames that wait for a track's reader; None ends it. The oldest beyond the limit is dropped."""

    async def put(self, item: Any) -> None:
        if self.qsize() >= MOST_FRAMES:
            self.get_nowait()
        self.put_nowait(item)


def _parse_any(data: bytes) -> stun.Message:
    try:
        return _parse(data)
    except (struct.error, LookupError) as error:
        raise ValueError(f"no STUN message: {error}") from error


def _take_some(self: Connection, data: bytes, component: int) -> None:
    if data and self._queue.qsize() < MOST_WAITING:
        _take(self, data, component)


def _begin_bounded(self: RTCRtpReceiver, kind: str, transport: RTCDtlsTransport) -> None:
    _begin(self, kind, transport)
    self._RTCRtpReceiver__remote_streams = NewestStreams()  # type: ignore[attr-defined]  # see the module's docstring
    self._RTCRtpReceiver__decoder_queue = _FewEncoded()  # type: ignore[attr-defined]  # idem


def _begin_bounded_track(self: RemoteStreamTrack, kind: str, id: str | None = None) -> None:  # noqa: A002  (aiortc's name)
    _begin_track(self, kind, id)
    self._queue = _FewDecoded()


async def _report_received_to_the_end(self: RTCRtpReceiver) -> None:
    try:
        await _report_received(self)
    finally:
        self._RTCRtpReceiver__rtcp_exited.set()  # type: ignore[attr-defined]  # see the module's docstring; stop() waits for it


async def _report_sent_to_the_end(self: RTCRtpSender) -> None:
    try:
        await _report_sent(self)
    finally:
        self._RTCRtpSender__rtcp_exited.set()  # type: ignore[attr-defined]  # idem
