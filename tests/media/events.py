"""Collects what a part reports, and waits for it."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

E = TypeVar("E")
T = TypeVar("T")


class Reported(Generic[E]):
    """An `on_event` that remembers, for use from any thread."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self.all: list[E] = []

    def __call__(self, event: E) -> None:
        with self._arrived:
            self.all.append(event)
            self._arrived.notify_all()

    def wait_for(self, kind: type[T], timeout_s: float = 60.0, *, count: int = 1) -> T:
        """The first event of this kind, or the one with this `count`; AssertionError when it does not come in time."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._of(kind)) >= count, timeout_s):
                raise AssertionError(f"no {kind.__name__} in {timeout_s} s, only {self.all}")
            return self._of(kind)[count - 1]

    def _of(self, kind: type[T]) -> list[T]:
        return [event for event in self.all if isinstance(event, kind)]
