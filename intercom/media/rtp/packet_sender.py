"""Sends encoded frames over RTP: our loop in place of aiortc's, on aiortc's transport and reports.

aiortc makes a dozen objects for every packet, marks each packet of sound, of which only the first of a talk spurt is
to be marked (RFC 3551 section 4.1; telephony servers flush their jitter buffers at each), and knows no telephone
events. All of it rests on private names of aiortc 1.16, which are pinned; a test fails when one goes.
"""

from __future__ import annotations

import asyncio
import logging
import random
import struct
from abc import abstractmethod
from typing import Any, NamedTuple

from aiortc import RTCRtpSender
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.rtp import HeaderExtensions

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
NO_TRACK_S = 0.02
"""Poll interval while the sender has no track."""
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


class EncodedTrack(MediaStreamTrack):
    """A track of encoded frames; a `PacketSender` sends it."""

    @abstractmethod
    async def next_frame(self) -> MediaFrame:
        """Wait for the next frame; MediaStreamError once the track was stopped, which ends its sender for good."""

    async def recv(self) -> Any:
        """Raise MediaStreamError: aiortc's own loop does not run."""
        raise MediaStreamError


class PacketSender:
    """Sends the encoded track of one aiortc sender; create it before the connection is negotiated."""

    def __init__(self, sender: RTCRtpSender) -> None:
        self._sender = sender
        # Half of the range: a wrap in the first seconds of a lossy call breaks SRTP (RFC 3711 section 3.3.1).
        self._sequence = random.randrange(1 << 15)  # noqa: S311  (it is to be no secret)
        self._origin = random.getrandbits(32)
        self._repeat_sequence = random.randrange(1 << 15)  # noqa: S311  (idem)
        self._timestamp = self._key_ended_at = self._origin
        self._extension = b""
        self._sent_at: slice | None = None
        self._history: dict[int, bytes] = {}
        self._repeats: dict[int, int] = {}
        sender._run_rtp = self._run  # type: ignore[method-assign]  # see the module's docstring
        sender._retransmit = self._send_again  # type: ignore[method-assign]  # idem

    async def _run(self, codec: RTCRtpCodecParameters) -> None:
        sender, payload_type = self._sender, codec.payloadType
        assert payload_type is not None
        sender._RTCRtpSender__rtp_started.set()  # type: ignore[attr-defined]  # idem
        self._prepare_extension()
        try:
            while True:
                if sender.track is None:
                    await asyncio.sleep(NO_TRACK_S)
                    continue
                assert isinstance(sender.track, EncodedTrack)
                frame = await sender.track.next_frame()
                if sender._enabled:
                    await self._send(payload_type, frame)
        except (asyncio.CancelledError, ConnectionError, MediaStreamError):
            log.debug("a sender of %s has ended", sender.kind)
        finally:
            if sender.track is not None:
                sender.track.stop()
            sender._RTCRtpSender__rtp_exited.set()  # type: ignore[attr-defined]  # idem; its stop() waits for it

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
            self._sent_at = slice(HEADER.size + 4 + at, HEADER.size + 4 + at + 3)

    async def _send(self, payload_type: int, frame: MediaFrame) -> None:
        sender = self._sender
        self._timestamp = timestamp = (self._origin + frame.timestamp) & 0xFFFFFFFF
        # What aiortc's sender reports tell, which it writes by itself.
        sender._RTCRtpSender__rtp_timestamp = timestamp  # type: ignore[attr-defined]  # idem
        sender._RTCRtpSender__ntp_timestamp = int((steady_time() + NTP_EPOCH_S) * (1 << 32))  # type: ignore[attr-defined]  # idem
        last = len(frame.payloads) - 1
        for index, payload in enumerate(frame.payloads):
            marker = MARKER if index == last and frame.marker else 0
            await self._send_packet(payload_type | marker, timestamp, payload)
            if index % BURST_PACKETS == BURST_PACKETS - 1 and index != last:
                await asyncio.sleep(BURST_GAP_S)
        sender._RTCRtpSender__packet_count += last + 1  # type: ignore[attr-defined]  # idem
        sender._RTCRtpSender__octet_count += sum(map(len, frame.payloads))  # type: ignore[attr-defined]  # idem

    async def _send_packet(self, marker_and_type: int, timestamp: int, payload: bytes) -> None:
        sequence = self._sequence
        self._sequence = (sequence + 1) & 0xFFFF
        header = self._header(marker_and_type, sequence, timestamp, self._sender._ssrc)
        packet = bytes(header + payload)
        if self._sender.kind == "video":
            self._history[sequence % HISTORY], self._repeats[sequence % HISTORY] = packet, 0
        await self._sender.transport._send_rtp(packet)

    def _header(self, marker_and_type: int, sequence: int, timestamp: int, ssrc: int) -> bytearray:
        first = HAS_EXTENSION if self._extension else WITHOUT_EXTENSION
        header = bytearray(HEADER.pack(first, marker_and_type, sequence, timestamp, ssrc) + self._extension)
        if self._sent_at is not None:
            # 24 bits of seconds, 18 of them behind the point; the two epochs differ by a multiple of its 64 s.
            header[self._sent_at] = (int(steady_time() * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")
        return header

    async def send_event(self, payload_type: int, payload: bytes, *, begin: bool, timestamp: int | None) -> int:
        """Send one telephone event packet (RFC 4733) in the numbering of the sound.

        Returns its timestamp, for the next ones of the same key. A key begins with the newest sound, or where the key
        before it ended: two with one timestamp are one key, and the sound may pause.
        """
        at = self._beginning_of_a_key() if timestamp is None else timestamp
        self._key_ended_at = (at + int.from_bytes(payload[DURATION])) & 0xFFFFFFFF
        await self._send_packet(payload_type | (MARKER if begin else 0), at, payload)
        return at

    def _beginning_of_a_key(self) -> int:
        ahead = (self._key_ended_at - self._timestamp) & 0xFFFFFFFF
        return self._key_ended_at if ahead < 1 << 31 else self._timestamp

    async def _send_again(self, sequence_number: int) -> None:
        """Retransmit a packet that the far end misses, as RFC 4588 says where that was agreed on.

        One packet from the far end may ask for five thousand of ours.
        """
        slot = sequence_number % HISTORY
        packet = self._history.get(slot)
        if packet is None or int.from_bytes(packet[2:4], "big") != sequence_number:
            return
        if self._repeats[slot] >= MOST_REPEATS:
            return
        self._repeats[slot] += 1
        repeat_type = self._sender._RTCRtpSender__rtx_payload_type  # type: ignore[attr-defined]  # see the module's docstring
        if repeat_type is not None:
            _, marker_and_type, _, timestamp, _ = HEADER.unpack_from(packet)
            marker_and_type = marker_and_type & MARKER | repeat_type
            header = self._header(marker_and_type, self._repeat_sequence, timestamp, self._sender._rtx_ssrc)
            self._repeat_sequence = (self._repeat_sequence + 1) & 0xFFFF
            packet = bytes(header + packet[2:4] + packet[len(header) :])
        await self._sender.transport._send_rtp(packet)
