"""A packet is read as aiortc reads it, and what aiortc refuses is refused."""

from __future__ import annotations

from aiortc.rtp import RtpPacket
from hypothesis import example, given
from hypothesis import strategies as st

from intercom.media.rtp.packet import parse

NAMES = ("payload_type", "sequence_number", "timestamp", "ssrc", "payload")
HEADERS = st.builds(
    lambda first, rest: bytes([first]) + rest, st.integers(0x80, 0xBF), st.binary(min_size=11, max_size=11)
)
PACKETS = st.builds(
    lambda head, extension, payload, padding: head + extension + payload + padding,
    HEADERS,
    st.sampled_from([b"", b"\xbe\xde\x00\x01\x10\x7f\x00\x00", b"\xbe\xde\x00\x00", b"\xbe\xde\xff\xff", b"\xbe"]),
    st.binary(max_size=40),
    st.sampled_from([b"", b"\x00", b"\x01", b"\x00\x00\x03", b"\xff"]),
)


def read(data: bytes) -> list[object] | None:
    try:
        packet = parse(data)
    except ValueError:
        return None
    return [getattr(packet, name) for name in NAMES]


def as_aiortc_reads(data: bytes) -> list[object] | None:
    try:
        packet = RtpPacket.parse(data)
    except ValueError:
        return None
    return [getattr(packet, name) for name in NAMES]


@given(st.binary(max_size=120) | PACKETS)
@example(b"\xa0" + bytes(11))
@example(b"\xb1" + bytes(15) + b"\xbe\xde\x00\x01\x00\x00\x00\x00\x01")
@example(b"\x8f" + bytes(70))
def test_any_datagram_is_read_or_refused_as_by_aiortc(data: bytes) -> None:
    assert read(data) == as_aiortc_reads(data)
