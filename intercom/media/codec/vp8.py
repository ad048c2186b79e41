"""VP8 as it goes over RTP (RFC 7741); nothing here encodes or decodes."""

from __future__ import annotations

from intercom.media.codec.h264 import PAYLOAD_BYTES

BEGINS, GOES_ON = b"\x10", b"\x00"
"""Payload descriptors (section 4.2) of a picture's first packet and of the others: one partition, and no numbers."""


def packetize(data: bytes) -> list[bytes]:
    """Return the RTP payloads of an encoded picture, the fewest that hold it."""
    size = PAYLOAD_BYTES - len(BEGINS)
    return [(GOES_ON if start else BEGINS) + data[start : start + size] for start in range(0, len(data), size)]
