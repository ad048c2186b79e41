"""What a process holds, apart from what the C library keeps of what was freed: that is no leak, and comes and goes."""

from __future__ import annotations

import ctypes
import math
import statistics
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple


class _MallocInfo(ctypes.Structure):
    """`struct mallinfo2` of glibc's malloc.h, from version 2.33."""

    _fields_ = (
        ("of_the_heap", ctypes.c_size_t * 4),
        ("mapped", ctypes.c_size_t),
        ("of_no_use", ctypes.c_size_t * 2),
        ("given_out", ctypes.c_size_t),
        ("free", ctypes.c_size_t * 2),
    )


class Held(NamedTuple):
    """What is allocated at a moment."""

    bytes: float
    """Bytes of all blocks that malloc gave out and did not get back; nan where the C library does not tell.

    A few freed ones that each thread keeps at hand count too, so that it rises for some dozen calls.
    """
    blocks: float
    """Python's own blocks of any size; malloc does not know of those up to 512 bytes."""


def held() -> Held:
    """Return what is allocated now; garbage that was not collected counts too."""
    ask = getattr(ctypes.CDLL(None), "mallinfo2", None)
    if ask is None:
        return Held(math.nan, sys.getallocatedblocks())
    ask.restype = _MallocInfo
    told = ask()
    return Held(told.given_out + told.mapped, sys.getallocatedblocks())


def each(rounds: Sequence[Held], calls: int) -> Held:
    """Return what one call leaves, from what was held before the first round and after each, of so many calls.

    It is the median of the rounds: each ends in every way once, so that a leak of any is in all of them, and what
    grows once, such as a table that is made larger, is in one.
    """
    steps = [(after.bytes - before.bytes, after.blocks - before.blocks) for before, after in pairwise(rounds)]
    bytes_, blocks = (statistics.median(kind) / calls for kind in zip(*steps, strict=True))
    return Held(bytes_, blocks)
