"""A PCM that may go and come back: opened, lost, tried again, and every change told once."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

from intercom.media.errors import CardError
from intercom.media.events import DeviceLost, DeviceReturned, Direction, EngineEvent, XrunHappened
from intercom.media.line import CaptureLine, LineLostError, PlaybackLine

log = logging.getLogger(__name__)

EAGER_RETRY_S = 0.02
"""Something was plugged in: udev needs a moment for names and permissions, and somebody waits."""
EAGER_S = 2.0
RETRY_S = 0.2
"""A card that returns unannounced is heard again well within half a second."""
PATIENT_RETRY_S = 2.0
"""After `PATIENT_AFTER_S` nobody waits beside it any more, and idle must cost nothing."""
PATIENT_AFTER_S = 60.0
XRUN_REPORT_S = 1.0

L = TypeVar("L", bound=CaptureLine | PlaybackLine)


class Port(Generic[L]):
    """One direction of the card, whether it is there or not."""

    def __init__(self, direction: Direction, open_line: Callable[[], L], report: Callable[[EngineEvent], None]) -> None:
        self._direction = direction
        self._open_line = open_line
        self._report = report
        self._line: L | None = None
        self._lost_at: float | None = None
        self._retry_at = 0.0
        self._eager_until = 0.0
        self._let_go = False
        self._xruns_before = 0
        self._xruns_reported = 0
        self._xrun_report_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the device is there."""
        return self._line is not None

    @property
    def line(self) -> L | None:
        """What is open now."""
        return self._line

    @property
    def is_running(self) -> bool:
        """Whether it moves sound now."""
        return self._line is not None and self._line.running

    @property
    def xruns(self) -> int:
        """All since the engine started."""
        return self._xruns_before + (self._line.xruns if self._line is not None else 0)

    def ready(self, now: float) -> L | None:
        """The open line; None while the device is away. Opens it when it is time to try."""
        if self._let_go:
            self._let_go = False
            self.close()
            self._retry_at = 0.0
        if self._line is None and now >= self._retry_at:
            try:
                self._line = self._open_line()
            except CardError as error:
                self._went(str(error), now)
        return self._line

    def lost(self, error: LineLostError, now: float) -> None:
        """The line failed: give the device back and begin to try again."""
        self.close()
        self._went(str(error), now)

    def _went(self, reason: str, now: float) -> None:
        if self._lost_at is None:
            self._lost_at = now
            log.debug("%s stopped: %s; waiting for it to return", self._direction, reason)
            self._report(DeviceLost(self._direction, reason))
        else:
            log.debug("%s is still away: %s", self._direction, reason)
        if now < self._eager_until:
            self._retry_at = now + EAGER_RETRY_S
        else:
            self._retry_at = now + (RETRY_S if now - self._lost_at < PATIENT_AFTER_S else PATIENT_RETRY_S)

    @property
    def is_on_trial(self) -> bool:
        """Whether it was lost and is open again, which a device that hangs lets one do as well."""
        return self._line is not None and self._lost_at is not None

    def proved(self, now: float) -> None:
        """The open line moves sound, or nobody wants it to: a device that was lost is back."""
        if self._lost_at is not None:
            away_s = now - self._lost_at
            self._lost_at = None
            log.debug("%s works again after %.1f s", self._direction, away_s)
            self._report(DeviceReturned(self._direction, away_s))

    def retry_in_s(self, now: float) -> float:
        """How long until it is time to try again."""
        return max(0.0, self._retry_at - now)

    def look_again(self, now: float) -> None:
        """Something was plugged in or out: try at the next round, and often for a while. From any thread."""
        self._eager_until = now + EAGER_S
        self._retry_at = 0.0

    def let_go(self) -> None:
        """Close the line at the next round and open what is chosen then. From any thread."""
        self._let_go = True

    def report_xruns(self, now: float) -> None:
        """Tell of new xruns, at most once a second."""
        if self.xruns > self._xruns_reported and now >= self._xrun_report_at:
            self._xruns_reported = self.xruns
            self._xrun_report_at = now + XRUN_REPORT_S
            log.debug("%s xruns: %d", self._direction, self.xruns)
            self._report(XrunHappened(self._direction, self.xruns))

    def close(self) -> None:
        """Give the device back."""
        if self._line is not None:
            self._xruns_before += self._line.xruns
            self._line.close()
            self._line = None
