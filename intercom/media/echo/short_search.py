"""WebRTC's canceller, which looks for the echo no further back than it has to.

It looks with one filter, for nearly every echo is back within an eighth of a second. One that looks with all of
WebRTC's is heard in the far end's first seconds, and stays where it lets less through. Later it is tried unheard while
the echo may come through, and takes over then: it has learnt the room before.
"""

from __future__ import annotations

from collections.abc import Callable

from intercom.media.echo.delay_search import LONG, SHORT
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Backend, Frame, WebRtcBackend
from intercom.media.sound.energy import energy
from intercom.media.sound.format import FULL_SCALE, energy_db

SPEAKS_POWER = 10 ** (-50 / 10) * FULL_SCALE**2
"""Power above which the far end speaks, -50 dB: its echo can then be heard."""
WINDOW_BLOCKS = 100
"""Length of what is judged at once, in blocks in which the far end speaks: a second."""
TRIAL_WINDOWS = 4
"""Windows in which the longer search may prove itself: WebRTC has learnt a room by the second or third."""
BETTER_DB = 6.0
"""Least difference by which less has to come through with it; where the echo is back soon, there is none."""
THROUGH_DB = 10.0
"""Echo loss below which the echo may come through, or a visitor speaks, and the longer search is tried again."""
QUIET_DB = -65.0
"""Level below which nobody hears what comes through, nor the microphone anything."""
REST_WINDOWS, LONGEST_REST_WINDOWS = 30, 160
"""Windows after a trial in vain until there may be another, doubled each time, and the limit of them."""


class ShortSearch:
    """A canceller backend: one or, during a trial, two of WebRTC's."""

    def __init__(self, make: Callable[[int], Backend] = WebRtcBackend) -> None:
        """`make` returns a canceller with so many filters for the search."""
        self._make = make
        self.reset()

    def reset(self) -> None:
        """Forget the room's echo path, and how far back the echo is."""
        self._heard: Backend | None = None  # made with the first frame: a door without a call takes less memory
        self._short: Backend | None = None
        self._long: Backend | None = None
        self._rest = REST_WINDOWS
        self._windows = TRIAL_WINDOWS
        """Windows until the trial ends, or the next may begin."""
        self._is_deaf = True
        """Whether the microphone has heard nothing yet: a trial then proves nothing."""
        self._clear()

    @property
    def is_long(self) -> bool:
        """Whether the longer search has proved to be needed."""
        return self._heard is not None and self._short is None

    def _clear(self) -> None:
        self._near = self._through_short = self._through_long = 0.0
        self._blocks = 0

    def process(self, near: Frame, far: Frame) -> Frame:
        """Return the near frame without the echo of the far one."""
        if self._heard is None:
            self._short, self._long = self._make(SHORT), self._make(LONG)
            self._heard = self._long
        if self._short is None:
            return self._heard.process(near, far)
        short = self._short.process(near, far)
        long = short if self._long is None else self._long.process(near, far)
        if energy(far) > SPEAKS_POWER * len(far):
            if self._will_judge:
                self._near += energy(near)
                self._through_short += energy(short)
                self._through_long += energy(long)
            self._blocks += len(near) // CANCELLER_SAMPLES
        heard = long if self._heard is self._long else short
        if self._blocks >= WINDOW_BLOCKS:
            self._end_of_window()
        return heard

    @property
    def _will_judge(self) -> bool:
        """Whether this window's end asks how loud anything was: most pass until the next trial may begin."""
        return self._is_deaf or self._windows <= 1 or self._long is not None

    def _end_of_window(self) -> None:
        samples = self._blocks * CANCELLER_SAMPLES
        near_db, short_db, long_db = (
            energy_db(one, samples) for one in (self._near, self._through_short, self._through_long)
        )
        self._clear()
        if self._is_deaf and near_db > QUIET_DB:
            self._is_deaf = False
            self._windows = 0 if self._long is None else TRIAL_WINDOWS
        self._windows -= 1
        if self._long is None:
            if self._windows <= 0 and short_db > QUIET_DB and near_db - short_db < THROUGH_DB:
                self._long, self._windows = self._make(LONG), TRIAL_WINDOWS
        elif short_db > QUIET_DB and long_db < short_db - BETTER_DB:
            self._heard, self._short = self._long, None
        elif self._windows <= 0:
            self._heard, self._long = self._short, None
            if not self._is_deaf:
                self._windows, self._rest = self._rest, min(2 * self._rest, LONGEST_REST_WINDOWS)


def open_webrtc() -> Backend:
    """Open WebRTC's canceller with the shortest search that does, or with its own where that cannot be chosen."""
    return ShortSearch() if WebRtcBackend(SHORT).filters == SHORT else WebRtcBackend()
