"""RTP and RTCP packets of one stream (RFC 3550). Pure: the time is a parameter."""

from __future__ import annotations

import secrets
import struct
from dataclasses import dataclass

VERSION = 0x80
SENDER_REPORT, DESCRIPTION, BYE = 200, 202, 203
CNAME = 1
NTP_EPOCH_S = 2_208_988_800
"""Seconds from 1900, where NTP's time begins, to 1970."""
MOST_PACKET_BYTES = 2048
"""Limit of a packet from a client: one of sound has some hundred bytes."""


class Numbered:
    """The numbers of one stream's packets: source, sequence, time, and the counts of its reports."""

    def __init__(self, payload_type: int, clock_hz: int, name: str) -> None:
        """`name` joins the streams of one session, as CNAME."""
        self.payload_type = payload_type
        self.clock_hz = clock_hz
        self._name = name.encode()
        self.source = secrets.randbits(32)
        """SSRC."""
        self.sequence = secrets.randbits(16)
        """Sequence number of the next packet."""
        self._offset = secrets.randbits(32)
        self._packets = self._octets = 0

    def packet(self, payload: bytes, timestamp: int, *, marker: bool) -> bytes:
        """Return the next packet; `timestamp` counts the clock of the stream, from anywhere."""
        head = struct.pack(
            "!BBHII",
            VERSION,
            self.payload_type | (0x80 if marker else 0),
            self.sequence,
            (self._offset + timestamp) & 0xFFFFFFFF,
            self.source,
        )
        self.sequence = (self.sequence + 1) & 0xFFFF
        self._packets += 1
        self._octets += len(payload)
        return head + payload

    def report(self, timestamp: int, wall_s: float) -> bytes:
        """Return the report that this timestamp is now, at `wall_s` since 1970, by which clients align the tracks."""
        ntp = round((wall_s + NTP_EPOCH_S) * 2**32) & 0xFFFFFFFFFFFFFFFF
        counts = (self._packets & 0xFFFFFFFF, self._octets & 0xFFFFFFFF)
        sender = struct.pack(
            "!BBHIQIII",
            VERSION,
            SENDER_REPORT,
            6,
            self.source,
            ntp,
            (self._offset + timestamp) & 0xFFFFFFFF,
            *counts,
        )
        item = bytes((CNAME, len(self._name))) + self._name
        item += bytes(4 - len(item) % 4)
        words = (4 + len(item)) // 4
        return sender + struct.pack("!BBHI", VERSION | 1, DESCRIPTION, words, self.source) + item

    def bye(self) -> bytes:
        """Return the packet that ends the stream."""
        return struct.pack("!BBHI", VERSION | 1, BYE, 1, self.source)


@dataclass(frozen=True, slots=True)
class Received:
    """A packet of sound from a client."""

    payload_type: int
    sequence: int
    timestamp: int
    source: int
    payload: bytes


def received(packet: bytes) -> Received | None:
    """Return an RTP packet's fields, or None where it is none (section 5.1)."""
    if not 12 < len(packet) <= MOST_PACKET_BYTES or packet[0] & 0xC0 != VERSION:
        return None
    first, second, sequence, timestamp, source = struct.unpack("!BBHII", packet[:12])
    start = 12 + 4 * (first & 0x0F)
    if first & 0x10:
        if len(packet) < start + 4:
            return None
        start += 4 + 4 * int.from_bytes(packet[start + 2 : start + 4], "big")
    padding = packet[-1] if first & 0x20 else 0
    payload = packet[start : len(packet) - padding]
    return Received(second & 0x7F, sequence, timestamp, source, payload) if payload else None


def is_report(packet: bytes) -> bool:
    """Return whether these bytes may be RTCP, which is a sign of life."""
    return 8 <= len(packet) <= MOST_PACKET_BYTES and packet[0] & 0xC0 == VERSION and 200 <= packet[1] <= 207
