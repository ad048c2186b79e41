"""Values and events that a program can observe, as reactivex Observables.

`Value` is the reference client's BehaviorSubject: whoever subscribes gets the current value first.
`Happenings` is its Subject: whoever subscribes gets what happens from then on. In both, a subscriber that
raises is unsubscribed and reported to the event loop's exception handler; the others still get the item.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import reactivex
from reactivex import Observable
from reactivex.abc import DisposableBase, ObserverBase, SchedulerBase
from reactivex.disposable import Disposable

S = TypeVar("S")
T = TypeVar("T")


class Happenings(Generic[T]):
    """A source of events; `stream` is the Observable, `emit` sends one."""

    def __init__(self) -> None:
        self._observers: list[ObserverBase[T]] = []
        self._waiting: deque[T] = deque()
        self._emitting = False
        self._completed = False
        self.stream: Observable[T] = reactivex.create(self._subscribe)

    def emit(self, item: T) -> None:
        """Send `item` to every subscriber; items that subscribers cause come after it, in order."""
        if self._completed:
            return
        self._waiting.append(item)
        if self._emitting:
            return
        self._emitting = True
        try:
            while self._waiting:
                self._deliver(self._waiting.popleft())
        finally:
            self._emitting = False

    def complete(self) -> None:
        """Complete the stream."""
        if not self._completed:
            self._completed = True
            observers, self._observers = self._observers, []
            for observer in observers:
                observer.on_completed()

    def _deliver(self, item: T) -> None:
        for observer in list(self._observers):
            try:
                observer.on_next(item)
            except Exception as error:  # noqa: BLE001 - a subscriber's fault becomes the loop's event
                self._remove(observer)
                report_fault("A subscriber raised and is unsubscribed", error)

    def _subscribe(self, observer: ObserverBase[T], _: SchedulerBase | None = None) -> DisposableBase:
        self._welcome(observer)
        if self._completed:
            observer.on_completed()
        else:
            self._observers.append(observer)
        return Disposable(lambda: self._remove(observer))

    def _welcome(self, observer: ObserverBase[T]) -> None:
        """Send a new subscriber its first item."""

    def _remove(self, observer: ObserverBase[T]) -> None:
        if observer in self._observers:
            self._observers.remove(observer)


class Value(Happenings[T]):
    """A value that can be observed; `stream` starts with it and emits every change."""

    def __init__(self, initial: T) -> None:
        super().__init__()
        self.value = initial

    def set(self, value: T) -> None:
        """Change the value; an equal one is not emitted."""
        if value != self.value:
            self.value = value
            self.emit(value)

    def _welcome(self, observer: ObserverBase[T]) -> None:
        observer.on_next(self.value)


def changes(states: Observable[S], read: Callable[[S], T]) -> Observable[T]:
    """Return a stream of what `read` finds in each state, whenever it differs from what it found before.

    reactivex has operators for it, which come with all its others, and those stay in memory.
    """

    def subscribe(observer: ObserverBase[T], scheduler: SchedulerBase | None = None) -> DisposableBase:
        last: list[T] = []

        def look(state: S) -> None:
            found = read(state)
            if [found] != last:
                last[:] = [found]
                observer.on_next(found)

        return states.subscribe(look, observer.on_error, observer.on_completed, scheduler=scheduler)

    return reactivex.create(subscribe)


def report_fault(message: str, error: Exception) -> None:
    """Pass an error that has no caller to the event loop's exception handler."""
    context: dict[str, Any] = {"message": message, "exception": error, "part": "client"}
    asyncio.get_running_loop().call_exception_handler(context)


def task_failed(error: Exception) -> None:
    """Report the error of a background task as the client's."""
    report_fault("The client's work in the background failed", error)
