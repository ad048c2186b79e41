"""Hooks into aiortc: raw packets in, stable track names, an end to gathering.

Everything here rests on private names of aiortc 1.16 and aioice 0.13. They are pinned, and a test of each hook fails
when a name goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pylibsrtp
from aioice import Candidate, Connection, mdns
from aioice.ice import StunProtocol
from aiortc import RTCIceTransport, RTCPeerConnection, RTCRtpReceiver
from aiortc.codecs import CODECS
from aiortc.rtcdtlstransport import RTCDtlsTransport, State
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtcrtpreceiver import StreamStatistics
from OpenSSL import SSL

from intercom.aiortc_hooks import bear_an_early_end
from intercom.media.dtmf.telephone_event import MIME_TYPE
from intercom.media.rtp.packet import HEADER_BYTES, Packet, parse
from intercom.media.rtp.steady_clock import steady_time
from intercom.tasks import TaskSet

log = logging.getLogger(__name__)

GATHERING_S = 0.6
"""Limit of gathering candidates: a server that has not answered by then is dead or useless, and the call goes on."""
CHECK_EVERY_S = 0.02
"""Interval between two connectivity checks, as in aioice."""
RESEND_AFTER_S = (0.1, 0.2, 0.4)
"""Times without an answer after which a flight is sent again."""
FLIGHT_BYTES = 1500
"""Limit of a flight's bytes, as in aiortc."""
TELEPHONE_EVENTS = ((110, 48_000, "0-15"), (126, 8_000, "0-16"))
"""Telephone events that we offer: payload type, clock and events. RFC 4733 wants the clock of the audio beside it;
aiortc tells codecs apart by their parameters, not by their clock, and the flash event (16) makes these differ."""

LAST_OF_STUN = 3
"""Limit of the first byte of STUN's datagrams (RFC 7983 section 7)."""
TrackNames = dict[str, tuple[str, str]]
"""Map from kind to the ids of our stream and track, as the far end knows them (RFC 8830)."""


def know_telephone_events() -> None:
    """Teach aiortc the codec of telephone events; harmless when it is known."""
    known = {(codec.mimeType, codec.clockRate) for codec in CODECS["audio"]}
    for payload_type, clock_hz, events in TELEPHONE_EVENTS:
        if (MIME_TYPE, clock_hz) not in known:
            CODECS["audio"].append(
                RTCRtpCodecParameters(
                    mimeType=MIME_TYPE,
                    clockRate=clock_hz,
                    channels=1,
                    payloadType=payload_type,
                    parameters={events: None},
                )
            )


def tame_ice(connection: RTCPeerConnection) -> None:
    """Make ICE begin and end in time; call it when every transport exists, before the first description.

    No STUN or TURN server holds the description back for more than 600 ms (aioice: 5 s). A connection that is closed
    while it connects does not begin to ask for consent for ever, as aioice does, nor complain of its end. And a
    candidate that cannot be used costs nothing but itself.
    """
    bear_an_early_end(connection)
    for transceiver in connection.getTransceivers():
        sender, receiver = transceiver.sender, transceiver.receiver
        if not isinstance(sender.send, functools.partial):
            sender.send = functools.partial(_start_while_open, connection, sender.send)  # type: ignore[method-assign]  # see the module's docstring
            receiver.receive = functools.partial(_start_while_open, connection, receiver.receive)  # type: ignore[method-assign]  # idem
        close_beside(connection, receiver.transport.transport)
        ice = transceiver.receiver.transport.transport.iceGatherer._connection
        if isinstance(ice.get_component_candidates, functools.partial):
            continue  # two sections on one transport
        bounded = functools.partial(ice.get_component_candidates, timeout=GATHERING_S)  # type: ignore[arg-type]  # it takes fractions
        ice.get_component_candidates = bounded  # type: ignore[method-assign]  # see the module's docstring
        ice.query_consent = functools.partial(_consent_while_open, ice, ice.query_consent)  # type: ignore[method-assign]  # idem
        pass_over_unusable(ice)
        pace_beside(ice)
        resend_early(transceiver.receiver.transport)


async def _start_while_open(connection: RTCPeerConnection, start: Callable[[Any], Awaitable[None]], how: Any) -> None:
    if connection.signalingState != "closed":
        await start(how)


async def _consent_while_open(ice: Connection, query_consent: Callable[[], Awaitable[None]]) -> None:
    if not ice._closing:
        await query_consent()


def close_beside(connection: RTCPeerConnection, transport: RTCIceTransport) -> None:
    """Close a transport that an answer leaves unused while the others begin; aiortc waits for its sockets first."""
    if "stop" in transport.__dict__:
        return  # two sections on one transport
    stop, closing = transport.stop, TaskSet()

    async def begin_to_stop() -> None:
        if connection.signalingState == "have-local-offer":
            closing.spawn(stop())
        else:
            await stop()

    transport.stop = begin_to_stop  # type: ignore[method-assign]  # see the module's docstring


def pass_over_unusable(ice: Connection) -> None:
    """Ignore a remote candidate that cannot be used, and wait for no name: the far end may still reach us, or sooner.

    A name like `<uuid>.local` is looked up by mDNS, which takes a second where nobody answers, and whose port another
    program may hold for itself; and aioice, told that no more candidates come, gives up at once where it knows none.
    """
    add_next = ice.add_remote_candidate
    passed_over: set[str] = set()
    looking_up, ending = TaskSet(), TaskSet()

    async def add_or_pass_over(candidate: Candidate) -> None:
        try:
            await add_next(candidate)
        except OSError as error:
            log.info("%s of the far end cannot be looked up: %s", candidate.host, error)
        if not any(known.host == candidate.host for known in ice.remote_candidates):
            passed_over.add(candidate.host)

    async def end_after_the_names() -> None:
        await looking_up.finish()
        await end()

    async def end() -> None:
        if not passed_over:
            await add_next(None)

    async def add(remote_candidate: Candidate | None) -> None:
        if remote_candidate is not None and mdns.is_mdns_hostname(remote_candidate.host):
            looking_up.spawn(add_or_pass_over(remote_candidate))
        elif remote_candidate is not None:
            await add_or_pass_over(remote_candidate)
        elif looking_up:
            ending.spawn(end_after_the_names())
        else:
            await end()

    ice.add_remote_candidate = add  # type: ignore[method-assign]  # see the module's docstring


def pace_beside(ice: Connection) -> None:
    """Finish the connectivity checks with the first good pair, not at aioice's next tick of 20 ms."""
    start_next = ice._check_periodic
    begun = False

    def go_on() -> None:
        if start_next():
            asyncio.get_running_loop().call_later(CHECK_EVERY_S, go_on)

    def start_all() -> bool:
        """Start the first check now, the others beside; True, on which aioice waits a tick, while there is none."""
        nonlocal begun
        if not ice._check_list:
            return start_next()
        if not begun:
            begun = True
            go_on()
        return False

    ice._check_periodic = start_all  # type: ignore[method-assign]  # see the module's docstring


def resend_early(dtls: RTCDtlsTransport) -> None:
    """Resend a handshake flight after 100 ms without an answer; OpenSSL waits for 1 s, then for 2.

    A far end that is not yet through with its own checks throws the first one away. WebRTC's other stacks begin with
    50 ms (RFC 6347 section 4.2.4.1 allows it where latency counts).
    """
    sending = TaskSet()

    def heard() -> int:
        return int(dtls._RTCDtlsTransport__rx_packets)  # type: ignore[attr-defined]  # see the module's docstring

    async def send(flight: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # it was closed meanwhile
            await dtls.transport._send(flight)

    def resend(flight: bytes, before: int, waits_s: tuple[float, ...]) -> None:
        if dtls.state == "connecting" and heard() == before:
            sending.spawn(send(flight))
            wait_for(flight, before, waits_s)

    def wait_for(flight: bytes, before: int, waits_s: tuple[float, ...]) -> None:
        if waits_s:
            asyncio.get_running_loop().call_later(waits_s[0], resend, flight, before, waits_s[1:])

    async def write() -> None:
        assert dtls._ssl is not None, "there is one from its start on"
        try:
            flight = dtls._ssl.bio_read(FLIGHT_BYTES)
        except SSL.Error:
            return  # there is nothing to be sent
        await dtls.transport._send(flight)
        dtls._RTCDtlsTransport__tx_bytes += len(flight)  # type: ignore[attr-defined]  # idem
        dtls._RTCDtlsTransport__tx_packets += 1  # type: ignore[attr-defined]  # idem
        if dtls.state == "connecting":
            wait_for(flight, heard(), RESEND_AFTER_S)

    dtls._write_ssl = write  # type: ignore[method-assign]  # idem


def keep_names(connection: RTCPeerConnection, names: TrackNames) -> None:
    """Keep the track names of earlier descriptions and add new ones to `names`; call it before describing."""
    for transceiver in connection.getTransceivers():
        sender = transceiver.sender
        sender._stream_id, sender._track_id = names.setdefault(transceiver.kind, (sender._stream_id, sender._track_id))


def leave_picture_out(connection: RTCPeerConnection) -> None:
    """Send no picture after an offer without a section for one: aiortc goes by the offer before, or fails without."""
    for transceiver in connection.getTransceivers():
        if transceiver.kind == "video":
            transceiver._offerDirection = "inactive"


Take = Callable[[Packet, float], None]
"""Takes a packet, and how long ago it came, in seconds."""


class Statistics(StreamStatistics):
    """aiortc's statistics of one stream, with the time at which a packet came in place of that at which it is read."""

    def add(self, packet: Packet, age_s: float = 0.0) -> None:
        """Count a packet that came `age_s` ago (RFC 3550 appendices A.3 and A.8)."""
        number, timestamp, highest = packet.sequence_number, packet.timestamp, self.max_seq
        self.packets_received += 1
        if highest is None:
            self.base_seq = number
        elif not 0 < (number - highest) & 0xFFFF < 1 << 15:
            return
        elif number < highest:
            self.cycles += 1 << 16
        self.max_seq = number
        arrival = int((steady_time() - age_s) * self._clockrate)
        if self._last_arrival is not None and self._last_timestamp is not None and timestamp != self._last_timestamp:
            difference = abs(arrival - self._last_arrival - (timestamp - self._last_timestamp))
            self._jitter_q4 += difference - ((self._jitter_q4 + 8) >> 4)
        self._last_arrival, self._last_timestamp = arrival, timestamp


def take_packets(receiver: RTCRtpReceiver, handle: Take, clock_hz: Callable[[int], int]) -> Take:
    """Hand every RTP packet to `handle` instead of aiortc's jitter buffer; returns the function that takes one.

    `clock_hz` gives the clock of a payload type. The receiver's statistics go on, for they are what it reports to
    the far end. Two threads may take packets.
    """
    counting = threading.Lock()
    streams: dict[int, Statistics] = receiver._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]  # idem

    def take(packet: Packet, age_s: float) -> None:
        with counting:
            statistics = streams.get(packet.ssrc)
            if statistics is None:
                statistics = streams[packet.ssrc] = Statistics(clock_hz(packet.payload_type))
            statistics.add(packet, age_s)
        handle(packet, age_s)

    async def take_later(packet: Packet, arrival_time_ms: int) -> None:
        take(packet, 0.0)

    receiver._handle_rtp_packet = take_later  # type: ignore[method-assign]  # see the module's docstring
    return take


def route_also(receiver: RTCRtpReceiver, payload_type: int) -> None:
    """Route packets of this payload type to the receiver too, of which aiortc knows nothing."""
    receiver.transport._rtp_router.register_receiver(receiver, ssrcs=[], payload_types=[payload_type])


def take_at_once(
    receiver: RTCRtpReceiver, take: Take, came_by: Callable[[StunProtocol], None] = lambda protocol: None
) -> None:
    """Deliver packets straight from the socket; call it once the receiver's transport is settled.

    `came_by` is told by which socket each packet of this receiver came.

    aiortc's own way, through a queue and a task, costs as much again as all that is done with them. What is no RTP,
    or comes before the keys are agreed on, still goes that way.
    """
    dtls = receiver.transport
    ice = dtls.transport._connection
    to_queue = ice.data_received
    loop = asyncio.get_running_loop()
    by: StunProtocol | None = None

    def pass_on(protocol: StunProtocol, data: bytes, component: int) -> None:
        nonlocal by
        by = protocol
        protocol.receiver.data_received(data, component)
        by = None

    for protocol in ice._protocols:
        _tell_stun_by_its_first_byte(protocol, pass_on)
    # A queue asks for the running loop whenever it is waited for, which each report of the far end's ends: a system
    # call until Python 3.12.
    ice._queue._get_loop = lambda: loop  # type: ignore[attr-defined]  # see the module's docstring

    def data_received(data: bytes, component: int) -> None:
        sound = len(data) >= HEADER_BYTES and is_rtp(data)
        if not sound or dtls._state is not State.CONNECTED or not ice._queue.empty():
            to_queue(data, component)
            return
        dtls._RTCDtlsTransport__rx_bytes += len(data)  # type: ignore[attr-defined]  # see the module's docstring
        dtls._RTCDtlsTransport__rx_packets += 1  # type: ignore[attr-defined]  # idem
        try:
            clear = dtls._rx_srtp.unprotect(data)
            packet = parse(clear)
        except (pylibsrtp.Error, ValueError) as error:
            log.debug("ignored %d bytes that are no packet of this call: %s", len(data), error)
            return
        if dtls._rtp_router.route_rtp(packet) is receiver:  # type: ignore[arg-type]  # it has what is asked for
            take(packet, 0.0)
            if by is not None:
                came_by(by)

    ice.data_received = data_received  # type: ignore[method-assign]  # idem


def _tell_stun_by_its_first_byte(protocol: StunProtocol, pass_on: Callable[[StunProtocol, bytes, int], None]) -> None:
    """Pass on what cannot be STUN; aioice tries to read it, and finds by an exception that it is none."""
    to_stun = protocol.datagram_received

    def datagram_received(data: bytes, addr: tuple[Any, ...]) -> None:
        candidate = protocol.local_candidate
        if data and data[0] > LAST_OF_STUN and candidate is not None:
            pass_on(protocol, data, candidate.component)
        else:
            to_stun(data, addr)

    protocol.datagram_received = datagram_received  # type: ignore[method-assign,assignment]  # see the module's docstring


def is_rtcp(data: bytes) -> bool:
    """Whether a datagram is RTCP (idem)."""
    return len(data) > 1 and 127 < data[0] < 192 <= data[1] <= 223


def is_rtp(data: bytes) -> bool:
    """Whether a datagram is RTP and not RTCP (RFC 7983 section 7, RFC 5761 section 4)."""
    return 127 < data[0] < 192 and not 192 <= data[1] <= 223
