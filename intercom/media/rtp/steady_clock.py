"""A time of day that ignores clock changes, for peer connections: the time at the start, continued evenly.

aiortc reckons round trips, jitter and delays with the time of day. When that jumps, as at a Pi's first word from a time
server, a call would count hours of each, and a jitter beyond 32 bits ends its reports to the far end. Here it cannot.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aiortc import clock, rtcrtpreceiver, rtcrtpsender

_AHEAD_S = time.time() - time.monotonic()
"""Distance of the time of day from the monotonic clock at the start."""


def steady_time() -> float:
    """Return the seconds since 1970, without the clock changes since this program started."""
    return _AHEAD_S + time.monotonic()


def _steady_datetime() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(steady_time(), datetime.UTC)


class _SteadyTime:
    """Replaces the module `time` in aiortc."""

    age_s = 0.0

    @classmethod
    def time(cls) -> float:
        """Return the time at which came what is read now."""
        return steady_time() - cls.age_s


@contextmanager
def earlier(age_s: float) -> Iterator[None]:
    """Let aiortc take the time of `age_s` ago for now; for what does not wait, on the event loop."""
    _SteadyTime.age_s = age_s
    try:
        yield
    finally:
        _SteadyTime.age_s = 0.0


def measure_steadily() -> None:
    """Give aiortc this clock; harmless when repeated."""
    modules: tuple[Any, ...] = (rtcrtpreceiver, rtcrtpsender)
    for module in modules:
        module.time = _SteadyTime
    clock.current_datetime = _steady_datetime
