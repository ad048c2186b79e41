"""The whole panel on gpiozero's mock pins: button, lights, door."""

import threading
import time
from collections.abc import Callable

import pytest
from gpiozero.pins.mock import MockFactory

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel, PanelClosedError, Pattern
from tests.panel.conftest import WAIT_S, Bench, Clock


def test_a_press_is_reported(bench: Bench) -> None:
    bench.press()
    assert bench.next() == "pressed"
    bench.release()
    assert bench.next() == "released"


def test_a_press_of_which_the_pins_tell_late_and_at_once_is_reported(bench: Bench) -> None:
    pin = bench.factory.pin(bench.config.button_gpio)
    now = time.monotonic()
    pin.when_changed(now - 0.3, 0)
    pin.when_changed(now - 0.2, 1)
    assert bench.next() == "pressed"
    assert bench.panel.short_pulses.count == 0


def test_a_press_and_a_release_are_reported_although_the_pins_tell_of_no_edge(bench: Bench) -> None:
    bench.factory.pin(bench.config.button_gpio).when_changed = None
    bench.press()
    assert bench.next() == "pressed"
    bench.release()
    assert bench.next() == "released"


def test_holding_the_button_is_reported(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(hold_s=0.5)
    bench.press()
    assert [bench.next(), bench.next()] == ["pressed", "held"]


def test_a_button_that_is_stuck_at_the_start_does_not_ring(
    factory: MockFactory, make_bench: Callable[..., Bench], clock: Clock
) -> None:
    class Stuck(type(factory.pin(17))):  # type: ignore[misc]  # gpiozero is untyped
        def _set_pull(self, value: str) -> None:
            super()._set_pull(value)
            self.drive_low()

    factory.reset()
    factory.pin(17, pin_class=Stuck)
    bench = make_bench(clock=clock)
    bench.panel.door.open(0.05)
    assert bench.next() == "open"
    clock.passes(0.05)
    assert bench.next() == "closed"
    assert bench.reported.empty()


def test_a_callback_that_fails_is_a_fault_and_the_button_goes_on(bench: Bench) -> None:
    def fail(_: str) -> None:
        raise RuntimeError("no")

    bench.panel.on_press = fail
    bench.press()
    part, error = bench.next()  # type: ignore[misc]  # a pair, from on_fault
    assert (part, str(error)) == ("button", "no")
    bench.release()
    assert bench.next() == "released"


def test_a_button_whose_thread_died_is_felt_again_after_a_restart(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = bench.panel._buttons[0]

    def defect() -> None:
        raise ZeroDivisionError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(watch, "_wait_for_events", defect)
        bench.press()
        assert bench.next() == "pressed"
        part, error = bench.next()  # type: ignore[misc]  # a pair, from on_fault
        assert (part, str(error)) == ("button", "a defect")
        watch._thread.join(WAIT_S)
    bench.panel.restart("button")
    bench.release()
    assert bench.next() == "released"


def test_restarting_what_runs_does_no_harm(bench: Bench) -> None:
    bench.panel.restart("button")
    bench.panel.restart("lights")
    bench.press()
    assert bench.next() == "pressed"


@pytest.mark.parametrize("active_high", [True, False])
def test_the_relay_is_off_at_the_start_and_after_the_end(
    make_bench: Callable[..., Bench], clock: Clock, active_high: bool
) -> None:
    bench = make_bench(door={"relay_active_high": active_high}, clock=clock)
    assert bench.relay() is not active_high
    bench.panel.door.open()
    assert bench.relay() is active_high
    bench.panel.door.on_change = lambda is_open: bench.reported.put((is_open, bench.relay()))
    bench.panel.close()
    assert [bench.next(), bench.next()] == ["open", (False, not active_high)]


def test_the_door_closes_by_itself_after_its_pulse(make_bench: Callable[..., Bench], clock: Clock) -> None:
    bench = make_bench(clock=clock)
    bench.panel.door.open(0.2)
    assert bench.next() == "open"
    clock.passes(0.1)
    assert bench.relay()
    clock.passes(0.1)
    assert bench.next() == "closed"
    assert not bench.relay()
    assert not bench.panel.door.is_open


def test_commands_without_end_do_not_hold_the_door_past_the_cap(make_bench: Callable[..., Bench], clock: Clock) -> None:
    bench = make_bench(door={"cap_s": 3.0, "pulse_s": 2.0}, clock=clock)
    for _ in range(3):
        bench.panel.door.open()
        assert bench.relay()
        clock.passes(1.0)
    bench.panel.door.open()  # just before the door closes, or while it rests after that
    assert [bench.next(), bench.next()] == ["open", "closed"]
    assert not bench.relay()


def test_a_listener_that_blocks_does_not_keep_the_door_open(make_bench: Callable[..., Bench], clock: Clock) -> None:
    bench = make_bench(clock=clock)
    entered, leave = threading.Event(), threading.Event()

    def block(_: str) -> None:
        entered.set()
        leave.wait(WAIT_S)

    bench.panel.on_press = block
    bench.press()
    assert entered.wait(WAIT_S)
    bench.panel.door.open(0.1)
    assert bench.next() == "open"
    clock.passes(0.1)
    assert bench.next() == "closed"
    leave.set()


def test_a_pulse_of_nothing_is_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="more than 0 s"):
        bench.panel.door.open(0)


def test_a_closed_panel_does_not_open_the_door(bench: Bench) -> None:
    bench.panel.close()
    with pytest.raises(PanelClosedError):
        bench.panel.door.open()


def test_a_pattern_is_on_the_pins_when_show_returns(bench: Bench) -> None:
    bench.panel.show(Pattern.PRESSED)
    assert bench.panel.light_values == (0.0, 0.0, 1.0)


def test_a_single_light_answers_a_press_too(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(light="single")
    bench.panel.show(Pattern.IDLE)
    assert bench.panel.light_values == (1.0,)
    bench.panel.show(Pattern.PRESSED)
    assert bench.panel.light_values == (0.0,)


def test_lights_with_a_common_anode_are_driven_low(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(lights_active_high=False)
    bench.panel.show(Pattern.IDLE)
    assert bench.factory.pin(22).state == 0
    bench.panel.show(Pattern.OFF)
    assert bench.factory.pin(22).state == 1


def test_a_panel_without_lights_works(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(light="none")
    bench.panel.show(Pattern.RINGING)
    assert bench.panel.light_values == ()


def test_two_parts_on_one_pin_leave_nothing_open(factory: MockFactory) -> None:
    with pytest.raises(Exception, match="in use"):
        FrontPanel(PanelConfig(button_gpio=24), DoorConfig(), pin_factory=factory)
    with FrontPanel(PanelConfig(), DoorConfig(), pin_factory=factory):
        pass
