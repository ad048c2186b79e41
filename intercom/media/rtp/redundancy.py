"""Redundant audio (RFC 2198): each packet holds the sound of some packets before it as well.

Whole packets, so nothing is lost in quality nor for want of bits, as with the redundancy inside Opus; and more than one
of them, so that a burst of losses is repaired too.
"""

from __future__ import annotations

import struct
from collections import deque
from typing import NamedTuple

RED = "red"
LOSS_IN_A_ROW = 0.02
"""Share of loss from which packets are lost in a row so often that two more generations are worth their bits."""
HEAVY_LOSS = 0.10
"""Share of loss from which the path is taken to be full: more bits would be lost as well."""
MOST_GENERATIONS = 3
LONGEST_OFFSET = (1 << 14) - 1
"""Limit of a block's age, in ticks (RFC 2198 section 3)."""
LONGEST_BLOCK = (1 << 10) - 1
"""Limit of a redundant block's bytes (idem)."""
MOST_BLOCKS = 8
"""Limit of the redundant blocks that are read from a packet: Chromium sends one or two."""
FOLLOWS = 0x80
_BLOCK = struct.Struct("!L")


def generations(loss: float) -> int:
    """Return how many packets before it each packet holds as well, by the share of our sound that the far end lost.

    One at least: the first loss comes before the first report, and one costs bits alone.
    """
    return MOST_GENERATIONS if LOSS_IN_A_ROW <= loss < HEAVY_LOSS else 1


class Block(NamedTuple):
    """The sound of one packet."""

    age: int
    """Ticks by which its timestamp is less than the packet's."""
    payload: bytes


class Redundancy:
    """Adds the last packets' payloads to each payload."""

    def __init__(self, payload_type: int, sound_type: int) -> None:
        """`payload_type` is of redundant audio, `sound_type` of the sound in it."""
        self.payload_type = payload_type
        self._sound_type = sound_type
        self.generations = 1
        """How many packets before it each packet holds as well."""
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=MOST_GENERATIONS)

    def pack(self, timestamp: int, payload: bytes) -> bytes:
        """Return the redundant payload; `timestamp` is in ticks, from any beginning, and does not wrap."""
        headers, blocks = bytearray(), bytearray()
        for at, earlier in list(self._sent)[-self.generations :]:
            if timestamp - at <= LONGEST_OFFSET and len(earlier) <= LONGEST_BLOCK:
                headers += _BLOCK.pack((FOLLOWS | self._sound_type) << 24 | (timestamp - at) << 10 | len(earlier))
                blocks += earlier
        self._sent.append((timestamp, payload))
        return bytes(headers + bytes([self._sound_type]) + blocks + payload)


def unpack(data: bytes) -> list[Block]:
    """Return the blocks of a redundant payload, the packet's own last; none when it is damaged."""
    found: list[tuple[int, int]] = []
    at = 0
    while at < len(data) and data[at] & FOLLOWS:
        if at + _BLOCK.size > len(data) or len(found) == MOST_BLOCKS:
            return []
        (header,) = _BLOCK.unpack_from(data, at)
        found.append((header >> 10 & LONGEST_OFFSET, header & LONGEST_BLOCK))
        at += _BLOCK.size
    at += 1
    blocks = []
    for age, size in found:
        blocks.append(Block(age, data[at : at + size]))
        at += size
    return [*blocks, Block(0, data[at:])] if at < len(data) else []
