"""Records walks through the code: which functions carry something on, and where they hand it to another thread or task.

A walk begins where one function is called and ends where another one is. In between, every call of a function of
`intercom` remembers its caller. Work for later remembers who gave it to the event loop, for the loop copies the context
of whoever does.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from types import FrameType
from typing import Any


@dataclass(eq=False, repr=False)
class Call:
    """One call of a function."""

    module: str
    "without `intercom`"
    name: str
    "of the function, with its class"
    where: str
    "the thread, the event loop or the task that runs it"
    caller: Call | None
    "the function that called it, or that gave it to the loop"
    is_property: bool = False
    carries: bool = False
    "whether the walk goes on from it"
    asks: list[Call] = field(default_factory=list)
    "the functions that it called"


class Walk:
    """One walk: from the first call of `start` to the first call of `end` whose arguments are the right ones."""

    def __init__(
        self,
        start: Callable[..., Any],
        end: Callable[..., Any],
        arrives: Callable[[Mapping[str, Any]], bool] = lambda arguments: True,
    ) -> None:
        self._start, self._end, self._arrives = start.__code__, end.__code__, arrives
        self._now: ContextVar[Call | None] = ContextVar("call", default=None)
        self._before = threading.local()
        self._begun = False
        self._calls: dict[FrameType, Call] = {}
        "a coroutine's frame comes back each time that it goes on"
        self._last: Call | None = None
        self.arrived = threading.Event()

    @property
    def calls(self) -> list[Call]:
        """The calls that carry it from the start to the end, in order."""
        calls, call = [], self._last
        while call is not None:
            calls.append(call)
            call = call.caller
        return calls[::-1]

    def take(self, frame: FrameType, event: str) -> None:
        """Take the call of a function, or its return, for now or for good."""
        if self._last is not None:
            return
        before: list[Call | None] = self._before.__dict__.setdefault("calls", [])
        if event == "return":
            if before:
                self._now.set(before.pop())
            return
        caller = self._now.get()
        before.append(caller)
        if frame.f_code is self._start and not self._begun:
            self._begun = True
            self._now.set(self._call(frame, None))
        elif caller is not None or frame in self._calls:
            call = self._calls.get(frame) or self._call(frame, caller)
            self._now.set(call)
            if frame.f_code is self._end and self._arrives(frame.f_locals):
                self._last = call
                for carrier in self.calls:
                    carrier.carries = True
                self._calls.clear()
                self.arrived.set()

    def _call(self, frame: FrameType, caller: Call | None) -> Call:
        code, owner = frame.f_code, type(frame.f_locals.get("self"))
        module = frame.f_globals["__name__"].removeprefix("intercom.")
        name = owner.__qualname__ if code.co_name == "__init__" else code.co_qualname
        is_property = isinstance(getattr(owner, code.co_name, None), property)
        call = self._calls[frame] = Call(module, name, _where(), caller, is_property)
        if caller is not None:
            caller.asks.append(call)
        return call


@contextlib.contextmanager
def recorded(*walks: Walk) -> Iterator[None]:
    """Record these walks on this thread and on those that start meanwhile."""

    def profile(frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "return") and frame.f_globals.get("__name__", "").startswith("intercom."):
            for walk in walks:
                walk.take(frame, event)

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def _where() -> str:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return f"thread {threading.current_thread().name}"
    return "the event loop" if task is None else f"task {task.get_name()}"
