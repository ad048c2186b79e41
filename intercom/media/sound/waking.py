"""Decides when the engine's thread sleeps and wakes: each waking costs as much as moving a block."""

from __future__ import annotations

import contextlib
import os
import threading

from intercom.media.sound.format import BLOCK_MS

BLOCK_S = BLOCK_MS / 1000
SHORTEST_WAIT_S = 0.0005
LEAST_WAIT_S = 0.002
"""Limit of the wait after the speaker was asked: one that takes nothing is not asked in a loop."""
REAL_TIME_PRIORITY = 10
"""Priority of the engine's thread: above every ordinary process, below the kernel's own threads."""


class Doorbell:
    """Wakes a waiting thread, or makes its next wait return at once.

    A bare lock: a `threading.Condition` makes a new one each time it waits, which costs as much as moving a block.
    """

    def __init__(self) -> None:
        self._silent = threading.Lock()
        self._silent.acquire()
        self.has_rung = False
        """Whether it has rung since this was set to False."""

    def ring(self) -> None:
        """Wake the thread; from any thread."""
        self.has_rung = True
        with contextlib.suppress(RuntimeError):  # it has rung already
            self._silent.release()

    def wait(self, seconds: float | None) -> None:
        """Wait for a ring, at most `seconds`; None waits without limit."""
        self._silent.acquire(timeout=-1 if seconds is None else seconds)


class FrameTime:
    """Schedules the microphone's turn: once for each frame of two blocks that the far end gets.

    The first block of a frame waits for the second one anyway; to move both at once costs half, and no delay.
    """

    def __init__(self) -> None:
        self._call: object = None
        self._is_half = False
        self._due = 0.0

    def early_s(self, call: object, now: float) -> float:
        """Return the seconds until a frame of this call is due; 0 when it is. Another call begins another frame."""
        if call is not self._call:
            self._call, self._is_half, self._due = call, False, now
        return max(0.0, self._due - now)

    def is_due(self, now: float) -> bool:
        """Whether a frame is due, or none is awaited."""
        return now >= self._due

    def count(self, call: object) -> None:
        """Count a block sent to this call, from the microphone or in its place."""
        if call is not self._call:
            self._call, self._is_half = call, False
        self._is_half = not self._is_half

    def next_s(self, block_in_s: float, now: float) -> float:
        """Return the seconds until the next frame can be complete, when its next block can be in `block_in_s`."""
        due_s = block_in_s if self._is_half else block_in_s + BLOCK_S
        self._due = now + due_s
        return due_s


def ask_for_real_time() -> bool:
    """Request real-time priority for this thread; False where the system refuses (`LimitRTPRIO=` in the unit)."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))
    except OSError:
        return False
    return True
