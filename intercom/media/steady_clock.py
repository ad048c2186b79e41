"""The time of day as it was at the start, going on evenly: what peer connections measure with.

aiortc reckons round trips, jitter and delays with the time of day. When that jumps, as at a Pi's first word from a time
server, a call would count hours of each, and a jitter beyond 32 bits ends its reports to the far end. Here it cannot.
"""

from __future__ import annotations

import datetime
import time
from typing import Any

from aiortc import clock, rtcrtpreceiver, rtcrtpsender

_AHEAD_S = time.time() - time.monotonic()


def steady_time() -> float:
    """Seconds since 1970, but for the jumps since this program started."""
    return _AHEAD_S + time.monotonic()


def _steady_datetime() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(steady_time(), datetime.UTC)


class _SteadyTime:
    """Stands where aiortc has the module `time`."""

    time = staticmethod(steady_time)


def measure_steadily() -> None:
    """Give aiortc this clock; harmless when it has it."""
    modules: tuple[Any, ...] = (rtcrtpreceiver, rtcrtpsender)
    for module in modules:
        module.time = _SteadyTime
    clock.current_datetime = _steady_datetime
