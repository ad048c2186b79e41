"""A received RTP packet, as far as somebody asks for it: neither its extensions nor its sources are read."""

from __future__ import annotations

import struct
from typing import Protocol

import msgspec

HEADER_BYTES = 12
_HEADER = struct.Struct("!BBHLL")
_VERSION = 2
_PADDED, _EXTENDED, _SOURCES = 0x20, 0x10, 0x0F
"""Bits of the first byte (RFC 3550 section 5.1)."""


class Packet(Protocol):
    """What the call reads of a packet, one of aiortc's or of ours."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


class ReceivedPacket(msgspec.Struct):
    """A packet that came in time to be read by ourselves."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> ReceivedPacket:
    """Return the packet in a decrypted datagram; ValueError where it is none, or is cut."""
    if len(data) < HEADER_BYTES:
        raise ValueError("an RTP packet that ends in its header")
    first, second, number, timestamp, ssrc = _HEADER.unpack_from(data)
    begin, end = HEADER_BYTES + 4 * (first & _SOURCES), len(data)
    if first & _EXTENDED:
        begin += 4 + 4 * int.from_bytes(data[begin + 2 : begin + 4], "big")
    if first & _PADDED:
        end -= data[-1] or end
    if first >> 6 != _VERSION or begin > end:
        raise ValueError("an RTP packet of another version, or one that is cut")
    return ReceivedPacket(second & 0x7F, number, timestamp, ssrc, data[begin:end])
