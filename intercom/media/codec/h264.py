"""H.264 as a camera delivers it: access units in Annex B form, their NAL units and parameter sets.

Nothing here encodes or decodes. Numbers: ITU-T H.264 (08/2021), table 7-1 (NAL unit types) and annex B.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

VIDEO_CLOCK_HZ = 90_000
"""RTP clock of every video format (RFC 6184, section 8.1)."""

NAL_IDR = 5
NAL_SPS = 7
NAL_PPS = 8
STAP_A = 24
FU_A = 28
PAYLOAD_BYTES = 1300
"""Limit of a payload: with all headers, SRTP's tag and a TURN channel it still fits through a VPN's 1420 bytes."""
PICTURE_NALS = frozenset(range(1, 6))

_START_CODE = b"\x00\x00\x01"
_LONG_START_CODE = b"\x00\x00\x00\x01"


class AccessUnit(msgspec.Struct, frozen=True):
    """One encoded picture."""

    data: bytes
    """Annex B byte stream of exactly one access unit."""
    pts: int
    """Presentation time in units of 1/90000 s; it keeps growing across restarts of the camera."""
    keyframe: bool
    """Whether the unit holds an IDR picture, so that a decoder may start here."""


def split_nals(data: bytes) -> Iterator[bytes]:
    """Yield the NAL units of an Annex B byte stream, without their start codes.

    A stream without a start code yields nothing. Trailing zero bytes are not part of a NAL unit (annex B.1.1).
    """
    start = data.find(_START_CODE)
    while start != -1:
        start += len(_START_CODE)
        end = data.find(_START_CODE, start)
        nal = data[start:end] if end != -1 else data[start:]
        nal = nal.rstrip(b"\x00")
        if nal:
            yield nal
        start = end


def nal_type(nal: bytes) -> int:
    """Return the type of a NAL unit (table 7-1)."""
    return nal[0] & 0x1F


def packetize(data: bytes) -> list[bytes]:
    """Return the RTP payloads of an access unit (RFC 6184, packetization-mode 1), the fewest that hold it.

    Small NAL units that follow one another share a packet (STAP-A), large ones are cut (FU-A).
    """
    payloads: list[bytes] = []
    together: list[bytes] = []
    size = 1
    for nal in split_nals(data):
        if together and size + 2 + len(nal) > PAYLOAD_BYTES:
            payloads.append(_aggregate(together))
            together, size = [], 1
        if len(nal) > PAYLOAD_BYTES:
            payloads += _fragments(nal)
        else:
            together.append(nal)
            size += 2 + len(nal)
    if together:
        payloads.append(_aggregate(together))
    return payloads


def _aggregate(nals: list[bytes]) -> bytes:
    if len(nals) == 1:
        return nals[0]
    forbidden = max(nal[0] & 0x80 for nal in nals)
    importance = max(nal[0] & 0x60 for nal in nals)
    parts = [bytes([forbidden | importance | STAP_A])]
    for nal in nals:
        parts += (len(nal).to_bytes(2, "big"), nal)
    return b"".join(parts)


def _fragments(nal: bytes) -> list[bytes]:
    count = -(-(len(nal) - 1) // (PAYLOAD_BYTES - 2))
    size = -(-(len(nal) - 1) // count)
    indicator, kind = nal[0] & 0xE0 | FU_A, nal[0] & 0x1F
    starts = range(1, len(nal), size)
    return [
        bytes([indicator, kind | (0x80 if start == 1 else 0) | (0x40 if start + size >= len(nal) else 0)])
        + nal[start : start + size]
        for start in starts
    ]


class ParameterSets:
    """Keeps a stream's newest SPS and PPS and inserts them before every IDR picture that came without.

    A far end that joins, or that lost packets, can start at any keyframe only if both stand before it (RFC 6184,
    section 8.4). Many USB cameras send them once, at the start.
    """

    def __init__(self) -> None:
        self._sps: bytes | None = None
        self._pps: bytes | None = None

    def complete(self, data: bytes, pts: int) -> AccessUnit | None:
        """Return the access unit of a camera's data, with parameter sets before an IDR picture.

        Returns None if the bytes hold no picture (parameter sets alone, which are remembered, or damage).
        """
        types = set()
        for nal in split_nals(data):
            kind = nal_type(nal)
            types.add(kind)
            if kind == NAL_SPS:
                self._sps = nal
            elif kind == NAL_PPS:
                self._pps = nal
            elif kind in PICTURE_NALS:
                break  # parameter sets stand before the picture; the rest of a large unit need not be searched
        if not types & PICTURE_NALS:
            return None
        unit = AccessUnit(data, pts, keyframe=NAL_IDR in types)
        if unit.keyframe and not {NAL_SPS, NAL_PPS} <= types and self._sps and self._pps:
            sets = _LONG_START_CODE + self._sps + _LONG_START_CODE + self._pps
            return msgspec.structs.replace(unit, data=sets + data)
        return unit
