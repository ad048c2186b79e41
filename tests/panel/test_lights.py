"""How patterns are played."""

import queue
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.panel.lights import FADE_FRAME_S, Lights, frame_at
from intercom.panel.patterns import BLUE, DARK, PATTERNS, Pattern
from tests.panel.conftest import WAIT_S

RINGING = PATTERNS[Pattern.RINGING]


@pytest.mark.parametrize(("elapsed_s", "colour"), [(0.0, BLUE), (0.41, DARK), (0.61, BLUE), (1.1, DARK), (2.3, BLUE)])
def test_a_pattern_goes_round(elapsed_s: float, colour: tuple[float, float, float]) -> None:
    assert frame_at(RINGING, elapsed_s).colour == colour


def test_a_frame_says_how_long_it_lasts() -> None:
    assert frame_at(RINGING, 0.1).lasts_s == pytest.approx(0.3)


def test_a_steady_pattern_wakes_nobody() -> None:
    assert frame_at(PATTERNS[Pattern.IDLE], 123.0).lasts_s is None


def test_a_fade_starts_dark_rises_and_falls() -> None:
    play = PATTERNS[Pattern.REGISTERING]
    levels = [frame_at(play, elapsed_s).level for elapsed_s in (0.0, 1.0, 1.99, 3.0)]
    assert levels[0] == 0.0
    assert levels[0] < levels[1] < levels[2]
    assert levels[3] < levels[2]


@given(st.sampled_from(Pattern), st.floats(0, 1e6))
def test_at_any_time_the_values_are_possible_and_the_next_frame_is_ahead(pattern: Pattern, elapsed_s: float) -> None:
    play = PATTERNS[pattern]
    frame = frame_at(play, elapsed_s)
    assert all(0 <= value <= 1 for value in (*frame.colour, frame.level))
    assert frame.lasts_s is None or 0 <= frame.lasts_s <= max(step.seconds for step in play.steps)


def unexpected(error: Exception) -> None:
    pytest.fail(f"an unexpected fault: {error}")


class RecordingLed:
    """An LED that keeps what it was told, and can break."""

    def __init__(self) -> None:
        self.values: list[float] = []
        self.frequency: float | None = 100
        self.breaks = False
        self.wrote = threading.Event()

    @property
    def value(self) -> float:
        return self.values[-1] if self.values else 0.0

    @value.setter
    def value(self, value: float) -> None:
        if self.breaks:
            raise OSError("the LED is gone")
        self.values.append(value)
        self.wrote.set()

    def close(self) -> None:
        pass


def test_a_light_that_is_fully_on_needs_no_pwm() -> None:
    led = RecordingLed()
    lights = Lights([led], on_fault=unexpected)
    lights.show(Pattern.IDLE)
    assert (led.value, led.frequency) == (1.0, None)
    lights.close()


def test_a_fade_is_played_with_pwm() -> None:
    led = RecordingLed()
    now = [0.0]
    lights = Lights([led], on_fault=unexpected, clock=lambda: now[0])
    lights.show(Pattern.REGISTERING)
    led.wrote.clear()
    now[0] = 1.0
    assert led.wrote.wait(WAIT_S)
    assert led.value == frame_at(PATTERNS[Pattern.REGISTERING], 1.0).level
    assert 0 < led.value < 0.5
    assert led.frequency == 100
    lights.close()
    assert FADE_FRAME_S <= 1 / 24


def test_showing_the_same_pattern_again_does_not_restart_it() -> None:
    led = RecordingLed()
    now = [0.0]
    lights = Lights([led], on_fault=unexpected, clock=lambda: now[0])
    lights.show(Pattern.RINGING)
    count = len(led.values)
    lights.show(Pattern.RINGING)
    assert len(led.values) == count
    lights.close()


def test_lights_that_break_are_a_fault() -> None:
    led = RecordingLed()
    faults: list[Exception] = []
    told = threading.Event()

    def fault(error: Exception) -> None:
        faults.append(error)
        told.set()

    lights = Lights([led], on_fault=fault)
    lights.show(Pattern.DOOR_OPEN)
    led.breaks = True
    assert told.wait(WAIT_S)
    assert "gone" in str(faults[0])
    lights.close()


def test_lights_that_broke_play_on_after_a_restart_and_showing_meanwhile_raises_nothing() -> None:
    led = RecordingLed()
    faults: queue.Queue[Exception] = queue.Queue()
    lights = Lights([led], on_fault=faults.put, clock=lambda: 0.0)  # a moment later it may be dark anyway
    led.breaks = True
    lights.show(Pattern.RINGING)
    faults.get(timeout=WAIT_S)
    with pytest.raises(OSError, match="gone"):
        lights.restart()
    led.breaks = False
    led.wrote.clear()
    lights.restart()
    assert led.wrote.wait(WAIT_S)
    lights.show(Pattern.IDLE)
    assert led.value == 1.0
    lights.close()
