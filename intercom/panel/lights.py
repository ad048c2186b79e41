"""Plays the patterns on the lights."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from intercom.panel.patterns import PATTERNS, Colour, Pattern, Play

log = logging.getLogger(__name__)

FADE_FRAME_S = 0.04
"""Interval between two brightnesses of a fade: 25 a second looks smooth, and costs little."""

PWM_HZ = 100
"""Frequency of the lights' PWM, gpiozero's default: above what the eye sees."""


class Led(Protocol):
    """An LED's interface, as in `gpiozero.PWMLED`."""

    value: float
    frequency: float | None

    def close(self) -> None: ...


class Frame(msgspec.Struct, frozen=True):
    """The state of the lights at one moment."""

    colour: Colour
    level: float
    """Brightness of a single light, 0 to 1."""
    lasts_s: float | None
    """Seconds until the next frame; None = this is the last."""


def frame_at(play: Play, elapsed_s: float) -> Frame:
    """Return the frame of `play` `elapsed_s` seconds after its start."""
    if len(play.steps) == 1:
        return Frame(play.steps[0].colour, play.steps[0].level, None)
    rest_s = elapsed_s % play.period_s
    index = 0
    while rest_s >= play.steps[index].seconds and index < len(play.steps) - 1:
        rest_s -= play.steps[index].seconds
        index += 1
    step, before = play.steps[index], play.steps[index - 1]
    left_s = max(step.seconds - rest_s, 0.0)
    if not step.fade:
        return Frame(step.colour, step.level, left_s)
    done = min(rest_s / step.seconds, 1.0)
    red, green, blue = (_glide(start, end, done) for start, end in zip(before.colour, step.colour, strict=True))
    return Frame((red, green, blue), _glide(before.level, step.level, done), min(FADE_FRAME_S, left_s))


def _glide(start: float, end: float, done: float) -> float:
    # The eye sees small differences near dark: squaring makes the fade look even.
    return start + (end - start) * (done**2 if end > start else 1 - (1 - done) ** 2)


class Lights:
    """The lights of the panel: three LEDs (red, green, blue), one, or none.

    A steady pattern costs nothing: no thread wakes, and a pin that is fully on or off has no PWM.
    """

    def __init__(
        self,
        leds: Sequence[Led],
        *,
        on_fault: Callable[[Exception], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        assert len(leds) in (0, 1, 3)
        self._leds = leds
        self._on_fault = on_fault
        self._clock = clock
        self._changed = threading.Condition()
        self._pattern = Pattern.OFF
        self._since = clock()
        self._closed = False
        self._thread = self._start() if leds else None

    @property
    def pattern(self) -> Pattern:
        """Pattern now shown."""
        return self._pattern

    def show(self, pattern: Pattern) -> None:
        """Show `pattern` from its beginning; its first moment is on the pins when this returns.

        The pattern that is shown already goes on undisturbed. Lights that cannot are a fault, and no error here.
        """
        with self._changed:
            if self._closed or pattern is self._pattern:
                return
            self._pattern = pattern
            self._since = self._clock()
            self._changed.notify()
            try:
                self._set(frame_at(PATTERNS[pattern], 0.0))
            except Exception as error:  # noqa: BLE001 - whatever the pins raise (lgpio's derive from it) is a fault
                self._on_fault(error)

    def restart(self) -> None:
        """Play on after a fault; raises the pins' errors."""
        with self._changed:
            if self._closed or not self._leds:
                return
            self._set(frame_at(PATTERNS[self._pattern], self._clock() - self._since))
            if self._thread is None or not self._thread.is_alive():
                self._thread = self._start()

    def close(self) -> None:
        """Turn the lights off and release the pins."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()
        for led in self._leds:
            led.close()

    def _run(self) -> None:
        try:
            with self._changed:
                while not self._closed:
                    frame = frame_at(PATTERNS[self._pattern], self._clock() - self._since)
                    self._set(frame)
                    self._changed.wait(frame.lasts_s)
        except Exception as error:  # noqa: BLE001 - the same
            log.debug("The lights stopped.")
            self._on_fault(error)

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="panel-lights", daemon=True)
        thread.start()
        return thread

    def _set(self, frame: Frame) -> None:
        values = frame.colour if len(self._leds) == 3 else (frame.level,)
        for led, value in zip(self._leds, values, strict=bool(self._leds)):
            frequency = None if value in (0.0, 1.0) else PWM_HZ
            if led.frequency != frequency:
                led.frequency = frequency
            if led.value != value:
                led.value = value
