"""Lets the event loop go before ordinary processes while somebody waits for what it has to do next.

That is an answer to a ring, or a sound card that went in a call. A plug is a dozen messages of the kernel, for each of
which udev has a process; and whoever answers has space and page at work as well. On a busy processor the loop got its
turn when they had had theirs; and it held Python's lock meanwhile, for which the audio thread waited.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable

log = logging.getLogger(__name__)

PRIORITY = 1
"""Real-time priority of the loop: above every ordinary process, below the audio thread."""


def go_first(is_first: bool) -> None:
    """Let this thread go before ordinary processes, or no more; not its children, nor where the system refuses."""
    policy, priority = (os.SCHED_RR, PRIORITY) if is_first else (os.SCHED_OTHER, 0)
    try:
        os.sched_setscheduler(0, policy | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError as error:
        log.debug("The loop goes on as other processes do: %s", error)


class Urgency:
    """Whether the loop goes first; use it on the loop."""

    def __init__(self, go_first: Callable[[bool], None] = go_first) -> None:
        self._go_first = go_first
        self._end: asyncio.TimerHandle | None = None

    def begin(self, longest_s: float) -> None:
        """Go first for so many seconds from now, whatever was said before."""
        if self._end is None:
            self._go_first(True)
        self._end_in(longest_s)

    def end_in(self, seconds: float) -> None:
        """Go first for a moment more, if the loop does."""
        if self._end is not None:
            self._end_in(seconds)

    def end(self) -> None:
        """Go first no more."""
        if self._end is not None:
            self._end.cancel()
            self._over()

    def _end_in(self, seconds: float) -> None:
        if self._end is not None:
            self._end.cancel()
        self._end = asyncio.get_running_loop().call_later(seconds, self._over)

    def _over(self) -> None:
        self._end = None
        self._go_first(False)
