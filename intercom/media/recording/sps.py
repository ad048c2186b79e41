"""Read from an H.264 sequence parameter set what a file has to say of its picture (ITU-T H.264, 7.3.2.1.1)."""

from __future__ import annotations

from typing import NamedTuple

HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135})
"""Profiles whose parameter sets tell of chroma and depth."""
MOST_PIXELS = 16_384
"""Limit of a side: the highest level allows less, and damaged bits name anything."""


class Picture(NamedTuple):
    """The picture that a parameter set describes."""

    width: int
    """Pixels across, without what is cropped."""
    height: int
    """Pixels down, without what is cropped."""
    chroma: int
    """Chroma format: 1 is 4:2:0."""
    luma_depth: int
    """Bits of a luma sample, less 8."""
    chroma_depth: int
    """Bits of a chroma sample, less 8."""


class _Bits:
    """Reads the bits of a NAL unit's payload, with its emulation prevention taken out (7.4.1)."""

    def __init__(self, payload: bytes) -> None:
        self._value = int.from_bytes(payload)
        self._left = len(payload) * 8

    def take(self, count: int) -> int:
        self._left -= count
        if self._left < 0:
            raise ValueError("The sequence parameter set is cut off.")
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """Return an Exp-Golomb number (9.1)."""
        zeros = 0
        while not self.take(1):
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        code = self.unsigned()
        return (code + 1) // 2 if code % 2 else -(code // 2)


def picture_of(sps: bytes) -> Picture:
    """Return the picture that this parameter set (a NAL unit) describes; raises ValueError where it is damaged."""
    bits = _Bits(sps[1:].replace(b"\x00\x00\x03", b"\x00\x00"))
    profile = bits.take(8)
    bits.take(16)  # constraints and level
    bits.unsigned()  # its id
    chroma, luma_depth, chroma_depth = 1, 0, 0
    if profile in HIGH_PROFILES:
        chroma = bits.unsigned()
        if chroma == 3:
            bits.take(1)
        luma_depth, chroma_depth = bits.unsigned(), bits.unsigned()
        bits.take(1)
        if bits.take(1):
            for index in range(8 if chroma != 3 else 12):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if index < 6 else 64)
    bits.unsigned()  # frame number
    _skip_order(bits)
    bits.unsigned()  # reference frames
    bits.take(1)
    across, down = bits.unsigned() + 1, bits.unsigned() + 1
    frames_only = bits.take(1)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    left = right = top = bottom = 0
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
    step_x, step_y = 2 if chroma in (1, 2) else 1, (2 if chroma == 1 else 1) * (2 - frames_only)
    width = across * 16 - (left + right) * step_x
    height = down * 16 * (2 - frames_only) - (top + bottom) * step_y
    if not (
        0 < width <= MOST_PIXELS and 0 < height <= MOST_PIXELS and chroma < 4 and max(luma_depth, chroma_depth) < 7
    ):
        raise ValueError(f"The sequence parameter set names a picture of {width}x{height}.")
    return Picture(width, height, chroma, luma_depth, chroma_depth)


def _skip_order(bits: _Bits) -> None:
    kind = bits.unsigned()
    if kind == 0:
        bits.unsigned()
    elif kind == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.signed()) % 256
        last = following or last
