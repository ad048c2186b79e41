"""An event loop whose time passes only where a test lets it: an hour takes no time, and no test sleeps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

SETTLED = 64
"""Rounds of the loop in which everything that waits for nothing has come to rest."""


class _Leap(selectors.SelectSelector):
    """Waits for nothing: the time that the loop would have slept has passed at once."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise AssertionError("everything waits, and nothing will ever happen")
        self.now += max(0.0, timeout)
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop for one test, driven from outside."""

    def __init__(self) -> None:
        self._leap = _Leap()
        super().__init__(self._leap)
        self._timers: list[asyncio.TimerHandle] = []
        self.unhandled: list[dict[str, Any]] = []
        self.set_exception_handler(lambda _, context: self.unhandled.append(context))

    def time(self) -> float:
        return self._leap.now

    def call_at(self, when: float, callback: Callable[..., object], *args: Any, context: Any = None) -> Any:
        handle = super().call_at(when, callback, *args, context=context)
        self._timers.append(handle)
        return handle

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do `work`, however long it takes, and what follows from it at once."""
        try:
            return self.run_until_complete(work)
        finally:
            self.settle()

    def settle(self) -> None:
        """Let happen what waits for nothing."""
        self.run_until_complete(_rounds())

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.run(asyncio.sleep(seconds))

    def waiting_timers(self) -> list[asyncio.TimerHandle]:
        """The timers that are still due."""
        return [timer for timer in self._timers if not timer.cancelled() and timer.when() > self.time()]


async def _rounds() -> None:
    for _ in range(SETTLED):
        await asyncio.sleep(0)
