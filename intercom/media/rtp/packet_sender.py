"""Sends encoded frames over RTP: our loop in place of aiortc's, on aiortc's transport and reports.

aiortc makes a dozen objects for every packet, marks each packet of sound, of which only the first of a talk spurt is
to be marked (RFC 3551 section 4.1; telephony servers flush their jitter buffers at each), and knows no telephone
events. All of it rests on private names of aiortc 1.16, which are pinned; a test fails when one goes.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import struct
import threading
from abc import abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcdtlstransport import RTCDtlsTransport
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import HeaderExtensions

from intercom.media.rtp.outlet import Outlet
from intercom.media.rtp.steady_clock import steady_time

log = logging.getLogger(__name__)

MARKER = 0x80
HEADER = struct.Struct("!BBHLL")
"""Layout of an RTP header (RFC 3550 section 5.1)."""
HAS_EXTENSION = 0x90
WITHOUT_EXTENSION = 0x80
DURATION = slice(2, 4)
"""Where a telephone event has its duration so far (RFC 4733 section 2.3)."""
HISTORY = 256
"""Limit of packets kept for retransmission: more than a second of picture, which no far end asks for later."""
MOST_REPEATS = 5
"""Limit of retransmissions of a packet: if the path loses it more often, only a new picture helps."""
NTP_EPOCH_S = 2_208_988_800
"""Offset of the NTP epoch: seconds from 1900 to 1970 (RFC 5905)."""
BURST_PACKETS = 16
"""Limit of packets sent at once: twice an ordinary picture. A keyframe may be three times that, and must not hold up
the sound."""
BURST_GAP_S = 0.005
"""Pause between two bursts: a keyframe is sent within the time of one picture."""


class MediaFrame(NamedTuple):
    """One encoded frame of sound or picture."""

    timestamp: int
    """Timestamp in ticks of the codec's clock, from any beginning."""
    payloads: list[bytes]
    """Payloads, one for each packet."""
    marker: bool
    """Whether the last packet has the marker bit."""
    payload_type: int | None = None
    """Payload type, where it is not the agreed codec's."""


class PacketOutlet(Protocol):
    """The way of the packets to the far end."""

    def send(self, packets: Sequence[bytes]) -> None:
        """Send RTP packets, in their order; ConnectionError where the connection is not up."""

    def close(self) -> None:
        """Release what it holds."""


class EncodedTrack(MediaStreamTrack):
    """A track of encoded frames; a `PacketSender` sends it."""

    @abstractmethod
    async def next_frame(self) -> MediaFrame:
        """Wait for the next frame; MediaStreamError once the track was stopped."""

    def push_to(self, send: Callable[[MediaFrame], None]) -> None:
        """Take `send`, which sends a frame on any thread at once; a track whose frames are waited for needs none."""

    async def recv(self) -> Any:
        """Raise MediaStreamError: aiortc's own loop does not run."""
        raise MediaStreamError


class PushedTrack(EncodedTrack):
    """A track whose frames come by themselves, on a thread of their own, and are sent there."""

    def __init__(self) -> None:
        super().__init__()
        self._ended = asyncio.Event()
        self._send: Callable[[MediaFrame], None] | None = None

    def push_to(self, send: Callable[[MediaFrame], None]) -> None:
        """Hand each frame to `send` from now on."""
        if self.readyState == "live":
            self._send = send

    async def next_frame(self) -> MediaFrame:
        """Raise MediaStreamError once the track was stopped: no frame is waited for."""
        await self._ended.wait()
        raise MediaStreamError

    def stop(self) -> None:
        """End the track; aiortc calls this when the connection closes."""
        super().stop()
        self._send = None
        self._ended.set()


class PacketSender:
    """Sends the encoded tracks of one aiortc sender, one after another; create it before the connection is negotiated.

    The packets of one sender leave one after another, on whichever thread: sound on the engine's, pictures on the
    camera's, keys, keyframes and what is sent again on the loop.
    """

    def __init__(
        self, sender: RTCRtpSender, *, open_outlet: Callable[[RTCDtlsTransport], PacketOutlet] = Outlet
    ) -> None:
        self._sender = sender
        self._open_outlet = open_outlet
        self._outlet: PacketOutlet | None = None
        self._lock = threading.Lock()
        # Half of the range: a wrap in the first seconds of a lossy call breaks SRTP (RFC 3711 section 3.3.1).
        self._sequence = random.randrange(1 << 15)  # noqa: S311  (it is to be no secret)
        self._origin = random.getrandbits(32)
        self._repeat_sequence = random.randrange(1 << 15)  # noqa: S311  (idem)
        self._timestamp = self._key_ended_at = self._origin
        self._extension = b""
        self._sent_at: slice | None = None
        self._history: dict[int, bytes] = {}
        self._repeats: dict[int, int] = {}
        self._track_changed = asyncio.Event()
        self._track_changed.set()
        self._put_track = sender.replaceTrack
        sender.replaceTrack = self._replace_track  # type: ignore[method-assign]  # it tells whoever waits for a track
        sender._run_rtp = self._run  # type: ignore[method-assign]  # see the module's docstring
        sender._retransmit = self._send_again  # type: ignore[method-assign]  # idem

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        sender, payload_type = self._sender, codec.payloadType
        assert payload_type is not None
        sender._RTCRtpSender__rtp_started.set()  # type: ignore[attr-defined]  # idem
        try:
            self._open()
            while True:
                await self._track_changed.wait()
                self._track_changed.clear()
                if sender.track is not None:
                    assert isinstance(sender.track, EncodedTrack)
                    await self._send_track(payload_type, sender.track)
        except (asyncio.CancelledError, ConnectionError):
            log.debug("a sender of %s has ended", sender.kind)
        finally:
            if sender.track is not None:
                sender.track.stop()
            with self._lock:
                if self._outlet is not None:
                    self._outlet.close()
            sender._RTCRtpSender__rtp_exited.set()  # type: ignore[attr-defined]  # idem; its stop() waits for it

    def _replace_track(self, track: MediaStreamTrack | None) -> None:
        self._put_track(track)
        self._track_changed.set()

    async def _send_track(self, payload_type: int, track: EncodedTrack) -> None:
        """Send a track until it ends or is replaced; a picture that was hidden is another track when it returns."""
        track.push_to(functools.partial(self._send_pushed, payload_type))
        with contextlib.suppress(MediaStreamError):
            while self._sender.track is track:
                frame = await track.next_frame()
                if self._sender._enabled:
                    await self._send(payload_type, frame)

    def _open(self) -> PacketOutlet:
        if self._outlet is None:
            self._prepare_extension()
            self._outlet = self._open_outlet(self._sender.transport)
        return self._outlet

    def _prepare_extension(self) -> None:
        """Prepare the agreed header extensions (RFC 8285); only the send time in them changes from packet to packet."""
        known = self._sender._RTCRtpSender__rtp_header_extensions_map  # type: ignore[attr-defined]  # idem
        mid = self._sender._RTCRtpSender__mid  # type: ignore[attr-defined]  # idem
        profile, value = known.set(HeaderExtensions(mid=mid, abs_send_time=0))
        _, other = known.set(HeaderExtensions(mid=mid, abs_send_time=0xFFFFFF))
        if not value:
            return
        self._extension = struct.pack("!HH", profile, len(value) // 4) + value
        at = next((i for i, pair in enumerate(zip(value, other, strict=True)) if pair[0] != pair[1]), None)
        if at is not None:
            self._sent_at = slice(4 + at, 4 + at + 3)

    def _extension_now(self) -> bytes:
        if self._sent_at is None:
            return self._extension
        # 24 bits of seconds, 18 of them behind the point; the two epochs differ by a multiple of its 64 s.
        sent_at = (int(steady_time() * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        return self._extension[: self._sent_at.start] + sent_at + self._extension[self._sent_at.stop :]

    def _send_pushed(self, payload_type: int, frame: MediaFrame) -> None:
        """Send a frame at once, on the thread that pushes it; one that comes when the connection is gone is dropped."""
        if not self._sender._enabled:
            return
        own_type = payload_type if frame.payload_type is None else frame.payload_type
        try:
            with self._lock:
                self._send_packets(own_type, self._begin(frame), frame.payloads, marker=frame.marker)
        except ConnectionError:
            return

    async def _send(self, payload_type: int, frame: MediaFrame) -> None:
        with self._lock:
            timestamp = self._begin(frame)
        count = len(frame.payloads)
        for start in range(0, count, BURST_PACKETS):
            if start:
                await asyncio.sleep(BURST_GAP_S)
            is_last = start + BURST_PACKETS >= count
            burst = frame.payloads[start : start + BURST_PACKETS]
            with self._lock:
                self._send_packets(payload_type, timestamp, burst, marker=is_last and frame.marker)

    def _begin(self, frame: MediaFrame) -> int:
        """Return the frame's RTP timestamp, and note what aiortc's sender reports tell, which it writes by itself."""
        sender = self._sender
        self._timestamp = timestamp = (self._origin + frame.timestamp) & 0xFFFFFFFF
        sender._RTCRtpSender__rtp_timestamp = timestamp  # type: ignore[attr-defined]  # see the module's docstring
        sender._RTCRtpSender__ntp_timestamp = int((steady_time() + NTP_EPOCH_S) * (1 << 32))  # type: ignore[attr-defined]  # idem
        return timestamp

    def _send_packets(self, payload_type: int, timestamp: int, payloads: Sequence[bytes], *, marker: bool) -> None:
        """Send the payloads of one moment; hold the lock."""
        outlet, sender, first = self._outlet or self._open(), self._sender, self._sequence
        extension = self._extension if self._sent_at is None else self._extension_now()
        head, source, number, octets = HAS_EXTENSION if extension else WITHOUT_EXTENSION, sender._ssrc, first, 0
        unmarked, packets = len(payloads) - 1 if marker else len(payloads), list[bytes]()
        for payload in payloads:  # no comprehension: of one packet it would be the most work
            kind = payload_type if len(packets) < unmarked else payload_type | MARKER
            packets.append(HEADER.pack(head, kind, number, timestamp, source) + extension + payload)
            number = (number + 1) & 0xFFFF
            octets += len(payload)
        self._sequence = number
        if sender.kind == "video":
            for index, packet in enumerate(packets, first):
                self._history[index % HISTORY], self._repeats[index % HISTORY] = packet, 0
        outlet.send(packets)
        sender._RTCRtpSender__packet_count += len(packets)  # type: ignore[attr-defined]  # idem
        sender._RTCRtpSender__octet_count += octets  # type: ignore[attr-defined]  # idem

    def send_event(self, payload_type: int, payload: bytes, *, begin: bool, timestamp: int | None) -> int:
        """Send one telephone event packet (RFC 4733) in the numbering of the sound.

        Returns its timestamp, for the next ones of the same key. A key begins with the newest sound, or where the key
        before it ended: two with one timestamp are one key, and the sound may pause.
        """
        with self._lock:
            at = self._beginning_of_a_key() if timestamp is None else timestamp
            self._key_ended_at = (at + int.from_bytes(payload[DURATION])) & 0xFFFFFFFF
            self._send_packets(payload_type, at, [payload], marker=begin)
        return at

    def _beginning_of_a_key(self) -> int:
        ahead = (self._key_ended_at - self._timestamp) & 0xFFFFFFFF
        return self._key_ended_at if ahead < 1 << 31 else self._timestamp

    async def _send_again(self, sequence_number: int) -> None:
        """Retransmit a packet that the far end misses, as RFC 4588 says where that was agreed on.

        One packet from the far end may ask for five thousand of ours.
        """
        slot = sequence_number % HISTORY
        # The picture may have ended meanwhile; an error of this here would end the whole connection.
        with contextlib.suppress(ConnectionError), self._lock:
            packet = self._history.get(slot)
            if packet is None or int.from_bytes(packet[2:4], "big") != sequence_number:
                return
            if self._repeats[slot] >= MOST_REPEATS:
                return
            self._repeats[slot] += 1
            self._open().send([self._as_repeat(packet)])

    def _as_repeat(self, packet: bytes) -> bytes:
        repeat_type = self._sender._RTCRtpSender__rtx_payload_type  # type: ignore[attr-defined]  # see the module's docstring
        if repeat_type is None:
            return packet
        _, marker_and_type, _, timestamp, _ = HEADER.unpack_from(packet)
        again = marker_and_type & MARKER | repeat_type, self._repeat_sequence, timestamp, self._sender._rtx_ssrc
        head = HEADER.pack(packet[0], *again) + self._extension_now()
        self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
        return head + packet[2:4] + packet[len(head) :]
