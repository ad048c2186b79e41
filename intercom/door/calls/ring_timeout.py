"""The ring timeout: how long the bell rings before the visitor is told that nobody answers.

It holds for a call that rings, however often the door redials it, and for a press that waits for the service.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from intercom.door.calls.active_call import CurrentCall


class RingTimeout:
    """Ends a call that nobody answers, and a press that waits for the service in vain. Belongs to the event loop."""

    def __init__(
        self,
        ring_time_s: float,
        *,
        no_answer: Callable[[CurrentCall], object],
        press_lapsed: Callable[[], object],
    ) -> None:
        """`no_answer` takes the call that rang in vain; `press_lapsed` is called when the press that waits is over."""
        self._ring_time_s = ring_time_s
        self._no_answer = no_answer
        self._press_lapsed = press_lapsed
        self._waiting_press: asyncio.TimerHandle | None = None

    def deadline(self) -> float:
        """Return the end of a ringing that begins now, on the event loop's clock."""
        return asyncio.get_running_loop().time() + self._ring_time_s

    def watch(self, current: CurrentCall) -> None:
        """Give the call up at its deadline unless somebody answers before."""
        timer = asyncio.get_running_loop().call_at(current.rings_until, self._check, current)
        current.timers.append(timer)

    def _check(self, current: CurrentCall) -> None:
        if not current.answered and not current.answering:
            self._no_answer(current)

    @property
    def press_waits(self) -> bool:
        """Whether a visitor pressed and waits for the service."""
        return self._waiting_press is not None

    def keep_press(self, until: float) -> None:
        """Let a press wait for the service until its deadline."""
        self._waiting_press = asyncio.get_running_loop().call_at(until, self._press_lapsed)

    def take_press(self) -> float | None:
        """End the waiting of a press and return its deadline; None if no press waits."""
        waiting, self._waiting_press = self._waiting_press, None
        if waiting is None:
            return None
        waiting.cancel()
        return waiting.when()
