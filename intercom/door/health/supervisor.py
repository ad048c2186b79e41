"""Restart a part that failed, with back-off, and give up on one that keeps failing.

What fails here is a defect: an exception that nobody expected. A card that is pulled out or a network that goes is
none of it; the parts mend that by themselves. `faults.py` says for each part what giving up means.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from intercom.door.health.faults import Ends, Part, policy_of
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)


class PartFailedError(RuntimeError):
    """A part keeps failing: the program ends on purpose, so that systemd restarts it."""


class BackOff:
    """Back-off and limit of a part's restarts; pure.

    A failure counts for `window_s`. The pause doubles from `first_s` with each one that counts, up to `longest_s`;
    after `tries` of them there is none left (None = there always is).
    """

    def __init__(
        self, tries: int | None, *, window_s: float = 600.0, first_s: float = 0.5, longest_s: float = 30.0
    ) -> None:
        self.tries = tries
        self._window_s = window_s
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures: deque[float] = deque(maxlen=64)

    def failed(self, now: float) -> float | None:
        """Count a failure, and return the seconds until the restart; None: give up."""
        while self._failures and now - self._failures[0] >= self._window_s:
            self._failures.popleft()
        self._failures.append(now)
        if self.tries is not None and len(self._failures) > self.tries:
            return None
        return min(self._first_s * 2.0 ** min(len(self._failures) - 1, 16), self._longest_s)

    @property
    def count(self) -> int:
        """Number of failures within the window."""
        return len(self._failures)


class FailureListener(Protocol):
    """Listener to each failure and its end."""

    def part_failed(self, part: Part, why: str) -> None:
        """A part failed."""

    def part_works(self, part: Part) -> None:
        """A part was restarted."""


Restart = Callable[[], Awaitable[None]]


@dataclass
class _Watched:
    back_off: BackOff
    restart: Restart | None
    due: asyncio.TimerHandle | None = None


class Supervisor:
    """Restarts the failed parts of one event loop.

    `give_up` is told, once, of a part that keeps failing, and whether that ends the program at once or after the call.
    """

    def __init__(
        self,
        listener: FailureListener,
        *,
        give_up: Callable[[PartFailedError, Ends], None],
        clock: Callable[[], float] = time.monotonic,
        later: Callable[[float, Callable[[], None]], asyncio.TimerHandle] | None = None,
    ) -> None:
        self._listener = listener
        self._give_up = give_up
        self._clock = clock
        self._later = later or (lambda delay, callback: asyncio.get_running_loop().call_later(delay, callback))
        self._watched: dict[Part, _Watched] = {}
        self._closed = False
        self._restarting = TaskSet()

    def watch(self, part: Part, restart: Restart | None = None) -> None:
        """Restart the part with `restart` when it fails; None: it works on, and its failures are only counted."""
        self._watched[part] = _Watched(BackOff(policy_of(part).tries), restart)

    def failed(self, part: Part, error: BaseException) -> None:
        """Take a failure of the part, on the event loop."""
        watched = self._watched[part]
        if self._closed or watched.due is not None:
            logger.debug("The %s failed once more: %r", part.words, error)
            return
        now, policy = self._clock(), policy_of(part)
        pause_s = watched.back_off.failed(now)
        if watched.back_off.count == 1 and not isinstance(error, OSError):
            logger.error("The %s failed", part.words, exc_info=error)
        self._listener.part_failed(part, f"{type(error).__name__}: {error}")
        if pause_s is None and policy.ends is not Ends.NEVER:
            count = watched.back_off.count
            sentence = f"The {part.words} failed {count} times within 10 minutes: the program ends to be started anew"
            self._give_up(PartFailedError(sentence), policy.ends)
            return
        if watched.restart is None:
            self._listener.part_works(part)
            return
        watched.due = self._later(pause_s or 0.0, lambda: self._restart(part))

    def close(self) -> None:
        """Cancel all restarts."""
        self._closed = True
        for watched in self._watched.values():
            if watched.due is not None:
                watched.due.cancel()
        self._restarting.cancel()

    def _restart(self, part: Part) -> None:
        watched = self._watched[part]
        watched.due = None
        self._restarting.spawn(self._start(part), name=f"restart {part}")

    async def _start(self, part: Part) -> None:
        restart = self._watched[part].restart
        assert restart is not None
        try:
            await restart()
        except Exception as error:  # noqa: BLE001 - whatever a part fails with at its start counts like any failure
            self.failed(part, error)
        else:
            if self._watched[part].due is None:  # otherwise the part failed again before its start was reported
                self._listener.part_works(part)
