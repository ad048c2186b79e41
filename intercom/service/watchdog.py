"""Feed systemd's watchdog as long as everything makes progress.

Three things can stand still while the process lives: the event loop, the audio thread and the session. The loop shows
that it moves by running this. What else stands still is asked of the part (`stalled`); then the watchdog goes hungry,
and systemd ends the process and starts it anew. Being offline, or without a sound card, is no standstill.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

logger = logging.getLogger(__name__)

FEEDS = 2
"""Feeds within the interval that systemd allows: one may come late (sd_watchdog_enabled(3))."""


class Alive(Protocol):
    """The watchdog's line to systemd."""

    def alive(self) -> None:
        """Report that everything makes progress."""


class Watchdog:
    """Calls `look()` every `period_s`; `stalled` names the part that has stalled, or None."""

    def __init__(
        self,
        to: Alive,
        stalled: Callable[[], str | None],
        *,
        watchdog_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.period_s = watchdog_s / FEEDS
        self._to = to
        self._stalled = stalled
        self._clock = clock
        self._hungry_since: float | None = None

    def look(self) -> None:
        """Feed the watchdog, or log once why not."""
        why = self._stalled()
        if why is None:
            if self._hungry_since is not None:
                logger.info("The watchdog is fed again after %.0f s", self._clock() - self._hungry_since)
                self._hungry_since = None
            self._to.alive()
        elif self._hungry_since is None:
            self._hungry_since = self._clock()
            logger.error("The watchdog is not fed: %s. Unless that moves soon, systemd restarts the service", why)

    async def run(self) -> None:
        """Feed the watchdog at each interval."""
        while True:
            self.look()
            await asyncio.sleep(self.period_s)
