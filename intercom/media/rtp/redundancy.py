"""Redundant audio (RFC 2198): each packet holds the sound of some packets before it as well.

Whole packets, so nothing is lost in quality nor for want of bits, as with the redundancy inside Opus; and more than one
of them, so that losses in a row are repaired too.
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
FADING = 0.7
"""Share of an earlier report's loss that is still counted at the next one: losses in a row spare whole reports."""
MOST_GENERATIONS = 3
LONGEST_OFFSET = (1 << 14) - 1
"""Limit of a block's age, in ticks (RFC 2198 section 3)."""
LONGEST_BLOCK = (1 << 10) - 1
"""Limit of a redundant block's bytes (idem)."""
LONGEST_PAYLOAD = 1100
"""Limit of a redundant payload's bytes, so that its packet needs no fragments on any path."""
MOST_BLOCKS = 8
"""Limit of the redundant blocks that are read from a packet: browsers send one or two."""
FOLLOWS = 0x80
_BLOCK = struct.Struct("!L")


class Block(NamedTuple):
    """The sound of one packet."""

    age: int
    """Ticks by which its timestamp is less than the packet's."""
    payload: bytes
    """Payload as its codec made it."""
    payload_type: int
    """Number of its codec."""


class Redundancy:
    """Adds the last packets' payloads to each payload: one of them, and three while the far end loses packets in a row.

    One at least: the first loss comes before the first report. The far end's reports set the number on the event loop,
    the engine's thread packs.
    """

    def __init__(self, payload_type: int, sound_type: int) -> None:
        """`payload_type` is the far end's number of redundant audio, `sound_type` of the sound in it."""
        self.payload_type = payload_type
        self._block_head, self._last_head = (FOLLOWS | sound_type) << 24, bytes([sound_type])
        self._recent_loss = 0.0
        self._generations = 1
        self._sent: deque[tuple[int, bytes]] = deque(maxlen=MOST_GENERATIONS)

    def reported(self, loss: float, mean_loss: float) -> None:
        """Take the far end's report of the share that it lost, and the mean of its last reports."""
        self._recent_loss = max(loss, FADING * self._recent_loss)
        deeper = self._recent_loss >= LOSS_IN_A_ROW and mean_loss < HEAVY_LOSS
        self._generations = MOST_GENERATIONS if deeper else 1

    def pack(self, timestamp: int, payload: bytes) -> bytes:
        """Return the redundant payload; `timestamp` is in ticks, from any beginning, and does not wrap."""
        head = earlier = b""
        room = LONGEST_PAYLOAD - len(payload)
        for at, sound in list(self._sent)[-self._generations :]:
            age, length = timestamp - at, len(sound)
            room -= length + _BLOCK.size
            if age <= LONGEST_OFFSET and length <= LONGEST_BLOCK and room > 0:
                head += _BLOCK.pack(self._block_head | age << 10 | length)
                earlier += sound
        self._sent.append((timestamp, payload))
        return head + self._last_head + earlier + payload


def unpack(data: bytes) -> list[Block]:
    """Return the blocks of a redundant payload, the packet's own last; none when it is damaged."""
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < len(data) and data[at] & FOLLOWS:
        if at + _BLOCK.size > len(data):
            return []
        (header,) = _BLOCK.unpack_from(data, at)
        found.append((data[at] & ~FOLLOWS, header >> 10 & LONGEST_OFFSET, header & LONGEST_BLOCK))
        at += _BLOCK.size
    own_type, at = data[at : at + 1], at + 1
    blocks = []
    for number, age, size in found:
        if age and size:
            blocks.append(Block(age, data[at : at + size], number))
        at += size
    return [*blocks[-MOST_BLOCKS:], Block(0, data[at:], own_type[0])] if at < len(data) else []
