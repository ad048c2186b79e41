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

    def wait_for(self, kind: type[T], timeout_s: float = 5.0) -> T:
        """The first event of this kind; AssertionError when none comes in time."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: any(isinstance(e, kind) for e in self.all), timeout_s):
                raise AssertionError(f"no {kind.__name__} in {timeout_s} s, only {self.all}")
            return next(e for e in self.all if isinstance(e, kind))
