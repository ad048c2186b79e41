"""Reports a call whose far end hears its own echo."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from intercom.media.echo.canceller import WARN_BELOW_DB, EchoCanceller, EchoStats
from intercom.media.events import EchoLossFell

logger = logging.getLogger(__name__)

LOOK_S = 1.0
"""Interval of the checks: speech is judged by the second."""
IDLE_LOOK_S = 5.0
"""Interval while there is no call: each look wakes a door that has nothing else to do, and a call that is first looked
at in its fifth second is warned of early enough."""
GOOD_ABOVE_DB = 9.0
"""Limit of the echo loss above which it is good again: half as much again keeps a figure near the limit from
toggling."""
SPOKEN_S = 3.0
"""Time of far-end speech below the limit before the report: a visitor who interrupts lowers the figure for a moment,
too."""
SOFTEST_ECHO_DB = -30.0
"""Limit of the echo level below which nothing is reported: such a box needs no canceller."""


class EchoWatch:
    """Reports once a call that the canceller does not hold the echo."""

    def __init__(self) -> None:
        self._call_id: str | None = None
        self._told = False
        self._bad_since_s: float | None = None

    def look(self, call_id: str | None, stats: EchoStats) -> EchoLossFell | None:
        """Check the current figures, every second or so; `call_id` is None when there is no call."""
        if call_id != self._call_id:
            self._call_id, self._told, self._bad_since_s = call_id, False, None
        loss_db, level_db, spoken_s = stats.echo_loss_db, stats.echo_level_db, stats.far_spoke_s
        if call_id is None or loss_db is None or level_db is None or loss_db > GOOD_ABOVE_DB:
            self._bad_since_s = None
        elif loss_db < WARN_BELOW_DB and level_db > SOFTEST_ECHO_DB:
            if self._bad_since_s is None or spoken_s < self._bad_since_s:
                self._bad_since_s = spoken_s
            elif spoken_s - self._bad_since_s >= SPOKEN_S and not self._told:
                self._told = True
                return EchoLossFell(call_id, loss_db, level_db)
        return None


async def warn_of_echo(canceller: EchoCanceller, call_id: Callable[[], str | None]) -> None:
    """Warn in the log, once a call, when the house hears itself; `call_id` returns the call's id, None without one."""
    watch = EchoWatch()
    while True:
        await asyncio.sleep(LOOK_S if call_id() is not None else IDLE_LOOK_S)
        fallen = watch.look(call_id(), canceller.stats())
        if fallen is not None:
            logger.warning(
                "The house hears itself: the echo is only %.0f dB softer. Turn the speaker down with `intercom "
                "volume`; `intercom audio test` says how far",
                fallen.echo_loss_db,
            )
