"""One direction's PCM, which may go away and return: opens, loses and retries it, and reports every change once.

It is opened, started and closed on threads of their own. A driver may hang in each for many seconds, a sound server
makes a stream for each start, and the engine's thread has the other direction to serve.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from intercom.media.cards.pcm_line import CaptureLine, PlaybackLine
from intercom.media.cards.pcm_loss import LATE_S, Deadline
from intercom.media.errors import CardAbsentError
from intercom.media.events import DeviceLost, DeviceReturned, Direction, EngineEvent, XrunHappened

log = logging.getLogger(__name__)

EAGER_RETRY_S = 0.02
"""Retry interval after something was plugged in: udev needs a moment for names and permissions, and somebody waits."""
EAGER_S = 2.0
"""Time after a plug in which the eager interval applies, where a card is there: none comes by trying."""
RETRY_S = 0.2
"""Retry interval after a loss: a card that returns unannounced plays again well within half a second."""
PATIENT_RETRY_S = 2.0
"""Retry interval after `PATIENT_AFTER_S`: nobody waits for the card any more, and idling must cost nothing."""
PATIENT_AFTER_S = 60.0
"""Time after a loss from which the patient interval applies."""
XRUN_REPORT_S = 1.0
"""Shortest interval between two xrun reports."""
HANGS_S = 1.0
"""Longest time to open or start a card that works, on a busy machine; one that takes longer is a fault meanwhile."""
CLOSE_DEADLINE_S = 0.7
"""Limit of the wait for a device to close at the end; otherwise it closes with the process."""

Run = Callable[[Callable[[], None], str], threading.Thread | None]
"""Runner of work: on a thread of that name, or at once."""
L = TypeVar("L", bound=CaptureLine | PlaybackLine)


def on_a_thread(work: Callable[[], None], name: str) -> threading.Thread:
    """Run `work` on a daemon thread."""
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


class _Attempt(Generic[L]):
    """One attempt to open or start a line."""

    def __init__(self, open_line: Callable[[], L], began: float, done: Callable[[], None]) -> None:
        self.began = began
        self.deadline = Deadline()
        self.deadline.begin(began, HANGS_S)
        self._open_line = open_line
        self._done = done
        self._lock = threading.Lock()
        self._line: L | None = None
        self._error: Exception | None = None
        self._left = False
        self.is_over = False

    def make(self) -> None:
        """Make the attempt and keep the result or the error; close a line that is no longer wanted."""
        try:
            line, error = self._open_line(), None
        except Exception as failure:  # noqa: BLE001 - raised where the line is taken
            line, error = None, failure
        with self._lock:
            self._line, self._error, self.is_over = line, error, True
            left = self._left
        if left and line is not None:
            line.close()
        self._done()

    def take(self) -> L:
        """Return the line; raises the error that the attempt gave."""
        if self._error is not None:
            raise self._error
        assert self._line is not None, "it is over"
        return self._line

    def leave(self) -> None:
        """Give the attempt up and close its line."""
        with self._lock:
            self._left = True
            line = self._line
        if line is not None:
            line.close()


class Port(Generic[L]):
    """One direction of the card, present or not."""

    def __init__(
        self,
        direction: Direction,
        open_line: Callable[[], L],
        report: Callable[[EngineEvent], None],
        *,
        wake: Callable[[], None],
        run: Run = on_a_thread,
    ) -> None:
        """`wake` is called, on any thread, when the next `ready` has something to do."""
        self.direction = direction
        self._open_line = open_line
        self._report = report
        self._wake = wake
        self._run = run
        self.line: L | None = None
        """The open line; None while there is none."""
        self._attempt: _Attempt[L] | None = None
        self._start: _Attempt[L] | None = None
        self._starting: threading.Thread | None = None
        self._was_unwanted = False
        self._closing: threading.Thread | None = None
        self.lost_at: float | None = None
        """When the device went; None while it works. It has not yet proved that it is back."""
        self._retry_at = 0.0
        self._told_at = -EAGER_S
        self.is_stale: Callable[[], bool] | None = None
        """Tells in the next round whether the open line is to be closed; None where nobody asked for that."""
        self.xruns_before = 0
        """Count of xruns of the lines that are closed."""
        self._xruns_reported = 0
        self._xrun_report_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the PCM is open."""
        return self.line is not None

    @property
    def is_running(self) -> bool:
        """Whether the line moves sound now."""
        return self.line is not None and not self.is_starting and self.line.running

    @property
    def is_starting(self) -> bool:
        """Whether the open line is being started: nothing else is to be asked of it until then."""
        return self._start is not None

    @property
    def xruns(self) -> int:
        """Count of xruns since the engine started."""
        return self.xruns_before + (self.line.loss.xruns if self.line is not None else 0)

    @property
    def is_opening(self) -> bool:
        """Whether the first attempt to open or start it is under way: sound that waits for it is still heard."""
        return (self._attempt is not None or self.is_starting) and self.lost_at is None

    def ready(self, now: float) -> L | None:
        """Return the open line, None while the device is away; starts an attempt to open it when one is due."""
        if self.is_stale is not None:
            is_stale, self.is_stale = self.is_stale, None
            if is_stale():
                self.close()
                self._retry_at = 0.0
        if self.line is not None:
            return self.line
        if self.line is None and self._attempt is None and now >= self._retry_at:
            self._attempt = _Attempt(self._after_the_last, now, self._wake)
            self._run(self._attempt.make, f"open {self.direction}")
        if self._attempt is not None:
            self._look_after(self._attempt, now)
        return self.line

    def start(self, now: float, *, is_wanted: bool = True) -> bool:
        """Start the open line; True once it runs. LineLostError when it cannot be started; call it again until then.

        One that takes too long is lost meanwhile, but its start goes on: there is no other way to end that, and a card
        that always takes so long would never be heard. One that was not wanted meanwhile starts anew for whoever wants
        it next: what it moved before is not theirs.
        """
        assert self.line is not None, "it is open"
        if self._start is None:
            self._was_unwanted = False
            self._start = _Attempt(functools.partial(_started, self.line, now), now, self._wake)
            self._starting = self._run(self._start.make, f"start {self.direction}")
        start = self._start
        self._was_unwanted = self._was_unwanted or not is_wanted
        if not start.is_over:
            self._is_awaited(start, "start", now)
            return False
        self._start = None
        line = start.take()
        if not (self._was_unwanted and is_wanted):
            return True
        line.stop()
        return self.start(now)

    def _look_after(self, attempt: _Attempt[L], now: float) -> None:
        took_s = now - attempt.began
        if not attempt.is_over:
            self._is_awaited(attempt, "open", now)
            return
        self._attempt = None
        try:
            self.line = attempt.take()
        except OSError as error:
            self._went(str(error), now, absent=isinstance(error, CardAbsentError))
            if attempt.began < self._told_at:  # what it knew is old
                self._retry_at = now
            if took_s >= HANGS_S:  # as long in peace as it hung
                self._retry_at = max(self._retry_at, now + took_s)

    def _is_awaited(self, attempt: _Attempt[L], what: str, now: float) -> None:
        """Look whether the attempt hangs: the device is away meanwhile."""
        attempt.deadline.look(now)
        if attempt.deadline.has_passed(now) and self.lost_at is None:
            self._went(f"it does not {what}: its driver hangs, or its cable is bad", now)

    def _after_the_last(self) -> L:
        """Open the line after the last one is closed: the device is busy until then."""
        closing = self._closing
        if closing is not None:
            closing.join()
        return self._open_line()

    def lost(self, error: Exception, now: float) -> None:
        """Close the failed line and begin to retry."""
        self.close()
        self._went(str(error), now)

    def _went(self, reason: str, now: float, *, absent: bool = False) -> None:
        if self.lost_at is None:
            self.lost_at = now
            log.debug("%s stopped: %s; waiting for it to return", self.direction, reason)
            self._report(DeviceLost(self.direction, reason))
        else:
            log.debug("%s is still away: %s", self.direction, reason)
        if now < self._told_at + EAGER_S and not absent:
            self._retry_at = now + EAGER_RETRY_S
        else:
            self._retry_at = now + (RETRY_S if now - self.lost_at < PATIENT_AFTER_S else PATIENT_RETRY_S)

    @property
    def is_lost(self) -> bool:
        """Whether the device is away, or has not yet proved that it is back."""
        return self.lost_at is not None

    @property
    def is_on_trial(self) -> bool:
        """Whether the device was lost and is open again but unproved: a hanging device can be opened, too."""
        return self.line is not None and self.lost_at is not None

    def proved(self, now: float) -> None:
        """Report the device as back: its line moves sound, or nobody wants any."""
        if self.lost_at is not None:
            away_s = now - self.lost_at
            self.lost_at = None
            log.debug("%s works again after %.1f s", self.direction, away_s)
            self._report(DeviceReturned(self.direction, away_s))

    def rest(self) -> None:
        """Stop the line, unless it only starts; whoever needs it starts it."""
        if self.line is not None and not self.is_starting:
            self.line.stop()

    def retry_in_s(self, now: float) -> float:
        """Return the seconds until the next attempt, or until the current one must be checked."""
        if self.is_starting or self._attempt is not None:  # its end wakes as well
            return LATE_S / 2 if self.is_opening else HANGS_S
        return max(0.0, self._retry_at - now)

    def look_again(self, now: float) -> None:
        """Retry in the next round and often for a while, because something was plugged in or out; from any thread."""
        self._told_at = now
        self._retry_at = 0.0

    def let_go(self, is_stale: Callable[[], bool]) -> None:
        """Close the line in the next round and open the newly chosen one, if it is stale by then; from any thread.

        It may be opened anew between the look that found it stale and that round.
        """
        self.is_stale = is_stale

    def report_xruns(self, now: float) -> None:
        """Report new xruns, at most once a second."""
        xruns = self.xruns_before + (self.line.loss.xruns if self.line is not None else 0)
        if xruns > self._xruns_reported and now >= self._xrun_report_at:
            self._xruns_reported = xruns
            self._xrun_report_at = now + XRUN_REPORT_S
            log.debug("%s xruns: %d", self.direction, xruns)
            self._report(XrunHappened(self.direction, xruns))

    def close(self) -> None:
        """Begin to close the device."""
        if self._attempt is not None:
            self._attempt.leave()
            self._attempt = None
        if self.line is not None:
            self.xruns_before += self.line.loss.xruns
            after = self._starting if self.is_starting else None
            self._closing = self._run(functools.partial(_close_after, after, self.line), f"close {self.direction}")
            self.line = self._start = None

    def wait_closed(self) -> None:
        """Wait until the device is closed, if its driver lets it go."""
        if self._closing is not None:
            self._closing.join(CLOSE_DEADLINE_S)


def _started(line: L, now: float) -> L:
    line.start(now)
    return line


def _close_after(starting: threading.Thread | None, line: CaptureLine | PlaybackLine) -> None:
    """Close a line once its start is over: a PCM is for one thread at a time."""
    if starting is not None:
        starting.join()
    line.close()
