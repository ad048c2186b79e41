"""The ring timeout: how long a call rings before it is given up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from intercom.door.calls.active_call import CurrentCall


class RingTimeout:
    """Ends a call that nobody answers: a step of a press, or a call to the door. Belongs to the event loop."""

    def __init__(self, ring_time_s: float, *, no_answer: Callable[[CurrentCall], object]) -> None:
        """`ring_time_s` is for a call to the door; `no_answer` takes the call that rang in vain."""
        self._ring_time_s = ring_time_s
        self._no_answer = no_answer

    def deadline(self) -> float:
        """Return the end of a call to the door that begins now, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._ring_time_s

    def watch(self, current: CurrentCall) -> None:
        """Give the call up at its deadline unless somebody answers before."""
        timer = asyncio.get_running_loop().call_at(current.rings_until, self._check, current)
        current.timers.append(timer)

    def _check(self, current: CurrentCall) -> None:
        if not current.answered and not current.answering:
            self._no_answer(current)
