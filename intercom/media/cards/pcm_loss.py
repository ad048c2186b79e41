"""Notices that a PCM is lost: its USB card was unplugged, its driver hangs, or its sound server died.

A device is lost when ALSA raises, when it answers -32 or nothing for ever, or when its clock stands still: each of
these ends looks different.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import alsaaudio

from intercom.media.cards.card import STATE_DISCONNECTED, Pcm

XRUN = -32
XRUNS_IN_A_ROW = 10
"""Xruns in a row after which the device is lost: a card that recovers needs one; a dead dmix answers nothing else."""
SILENT_S = 0.5
"""Time without a frame after which the device is lost, fifty periods: its clock stands still."""
START_SILENT_S = 1.5
"""Time without a frame after a start until the device is lost: some USB microphones need most of a second."""
LATE_S = 0.1
"""Lateness of our own thread, ten blocks, beyond which the device is not blamed for the gap."""

T = TypeVar("T")


class LineLostError(OSError):
    """The PCM has failed; the message says why."""


def asked(ask: Callable[[], T]) -> T:
    """Return the PCM's answer; LineLostError when any call fails, because the card may go at any moment."""
    try:
        return ask()
    except alsaaudio.ALSAAudioError as error:
        raise LineLostError(str(error)) from error


def check_present(pcm: Pcm) -> None:
    """Raise LineLostError when the PCM's device was unplugged."""
    if asked(pcm.state) == STATE_DISCONNECTED:
        raise LineLostError("it was unplugged")


class Deadline:
    """The time by which a device must have done something; it is not to blame for the time that our thread was late.

    Our thread must look at least every `LATE_S`.
    """

    def __init__(self) -> None:
        self._seen = 0.0
        self._at = 0.0

    def begin(self, now: float, in_s: float) -> None:
        """Begin to look."""
        self._seen = now
        self._at = now + in_s

    def look(self, now: float) -> None:
        """Note that our thread looks."""
        late_s = now - self._seen
        self._seen = now
        if late_s > LATE_S:
            self._at += late_s

    def has_passed(self, now: float) -> bool:
        """Whether the device had its time."""
        return now > self._at


class LossWatch(Deadline):
    """Watches the frames that a PCM moves, counts its xruns, and raises LineLostError once it is lost."""

    def __init__(self, xrun: str) -> None:
        """`xrun` is the name of this direction's: overrun or underrun."""
        super().__init__()
        self.xruns = 0
        self._xrun = xrun
        self._xruns_in_a_row = 0

    def start(self, now: float) -> None:
        """Expect the first frames: the PCM starts."""
        self.begin(now, START_SILENT_S)

    def took(self, frames: int, now: float) -> None:
        """Note the result of a read or a write; LineLostError after too many xruns in a row.

        The next frames are expected within the usual time after some.
        """
        if frames > 0:
            self._xruns_in_a_row = 0
            self._at = now + SILENT_S
        elif frames == XRUN:
            self.xruns += 1
            self._xruns_in_a_row += 1
            if self._xruns_in_a_row >= XRUNS_IN_A_ROW:
                raise LineLostError(f"{self._xrun} for ever")

    def lives(self, now: float) -> None:
        """Expect the next frames within the usual time: the device did something."""
        self._at = now + SILENT_S

    def check(self, now: float, symptom: str) -> None:
        """Raise LineLostError with the symptom when the device has moved nothing for too long."""
        if now > self._at:
            raise LineLostError(f"{symptom} for {SILENT_S * 1000:.0f} ms")
