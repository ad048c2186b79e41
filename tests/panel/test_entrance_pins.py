"""The pins around the door: chime, second bell light, door contact, exit button and tamper switch."""

from __future__ import annotations

import os
import queue
from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.panel import Pattern, entrance_pins
from tests.panel.conftest import WAIT_S, Bench, Clock

CHIME, LIGHT, CONTACT, EXIT, TAMPER = 5, 6, 12, 13, 16


@pytest.fixture
def around(make_bench: Callable[..., Bench], clock: Clock) -> Bench:
    """A panel with all five, whose chime falls silent when a test lets time pass."""
    door = {"contact_gpio": CONTACT, "exit_gpio": EXIT, "tamper_gpio": TAMPER}
    return make_bench(door=door, clock=clock, chime_gpio=CHIME, bell_light_gpio=LIGHT, chime_s=0.5)


@pytest.fixture
def chimed(around: Bench) -> queue.Queue[bool]:
    """Each change of the chime's relay."""
    told: queue.Queue[bool] = queue.Queue()
    assert around.panel.entrance.chime is not None
    around.panel.entrance.chime.on_change = told.put
    return told


def test_a_panel_without_them_has_no_pin_and_no_process_for_them(bench: Bench) -> None:
    entrance = bench.panel.entrance
    assert set(entrance.gpios.values()) == {None}
    assert set(entrance.levels.values()) == {None}
    assert entrance.guard_pid is None
    entrance.ring()


def test_the_chime_rings_for_one_pulse(around: Bench, chimed: queue.Queue[bool], clock: Clock) -> None:
    around.panel.entrance.ring()
    assert chimed.get(timeout=WAIT_S) is True
    assert around.factory.pin(CHIME).state
    clock.passes(0.5)
    assert chimed.get(timeout=WAIT_S) is False
    assert not around.factory.pin(CHIME).state


def test_presses_without_end_do_not_hold_the_chime_on(around: Bench, chimed: queue.Queue[bool], clock: Clock) -> None:
    for _ in range(5):
        around.panel.entrance.ring()
        clock.passes(0.1)
    assert [chimed.get(timeout=WAIT_S), chimed.get(timeout=WAIT_S)] == [True, False]
    around.panel.entrance.ring()
    assert not around.factory.pin(CHIME).state, "it rests for a second"


def test_a_program_that_turns_the_chime_off_late_is_not_killed_at_once(around: Bench) -> None:
    line = Path(f"/proc/{around.panel.entrance.guard_pid}/cmdline")
    while not (told := line.read_text()):  # for a moment after a program has begun
        pass
    words = told.split("\0")
    cap_s = float(words[words.index(str(os.getpid())) + 1])
    assert cap_s == 0.5 + entrance_pins.LATE_S, "what its guard was told"


def test_a_chime_that_rings_when_its_pin_is_low_is_silent_at_the_start(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(chime_gpio=CHIME, chime_active_high=False)
    assert bench.factory.pin(CHIME).state


def test_the_chime_is_silent_once_the_panel_is_closed(around: Bench) -> None:
    around.panel.entrance.ring()
    around.panel.close()
    assert not around.factory.pin(CHIME).state
    assert around.factory.pin(CHIME).function == "input"


def test_a_chime_whose_relay_fails_is_a_fault_and_the_bell_goes_on(
    around: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert around.panel.entrance.chime is not None

    def fail() -> None:
        raise OSError("no relay")

    monkeypatch.setattr(around.panel.entrance.chime, "open", fail)
    around.panel.entrance.ring()
    part, error = around.next()  # type: ignore[misc]  # a pair, from on_fault
    assert (part, str(error)) == ("chime", "no relay")
    around.press()
    assert around.next() == "pressed"


def test_the_second_bell_light_shows_a_pattern(around: Bench) -> None:
    light = around.panel.entrance.bell_light
    assert light is not None
    light.show(Pattern.RINGING)
    assert around.factory.pin(LIGHT).state
    light.show(Pattern.OFF)
    assert not around.factory.pin(LIGHT).state


def test_a_simulated_door_and_box_are_closed_at_first_and_are_opened_by_hand(around: Bench) -> None:
    entrance = around.panel.entrance
    moved: queue.Queue[str] = queue.Queue()
    assert entrance.contact is not None
    assert entrance.tamper is not None
    entrance.contact.on_move, entrance.tamper.on_move = lambda: moved.put("door"), lambda: moved.put("box")
    assert (entrance.door_is_open, entrance.box_is_open) == (False, False)
    assert entrance.simulate("contact", True)
    assert moved.get(timeout=WAIT_S) == "door"
    assert entrance.simulate("tamper", True)
    assert moved.get(timeout=WAIT_S) == "box"
    assert (entrance.door_is_open, entrance.box_is_open) == (True, True)


@pytest.mark.parametrize("closed_with_door", [True, False])
def test_a_contact_is_closed_or_open_while_the_door_is_as_configured(
    make_bench: Callable[..., Bench], closed_with_door: bool
) -> None:
    bench = make_bench(door={"contact_gpio": CONTACT, "contact_closed_with_door": closed_with_door})
    bench.factory.pin(CONTACT).drive_low()
    assert bench.panel.entrance.door_is_open is not closed_with_door


def test_a_cut_wire_reads_as_an_open_door_and_an_open_box(around: Bench) -> None:
    for gpio in (CONTACT, TAMPER):
        around.factory.pin(gpio).drive_high()
    assert (around.panel.entrance.door_is_open, around.panel.entrance.box_is_open) == (True, True)


def test_the_exit_button_is_reported_and_rings_no_bell(around: Bench) -> None:
    pressed: queue.Queue[str] = queue.Queue()
    around.panel.entrance.on_exit = lambda: pressed.put("exit")
    around.factory.pin(EXIT).drive_low()
    assert pressed.get(timeout=WAIT_S) == "exit"
    assert around.reported.empty()


def test_a_callback_of_the_exit_button_that_fails_is_a_fault(around: Bench) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    around.panel.entrance.on_exit = fail
    around.factory.pin(EXIT).drive_low()
    part, error = around.next()  # type: ignore[misc]  # a pair, from on_fault
    assert (part, str(error)) == ("button", "no")


def test_a_callback_of_a_switch_that_fails_is_a_fault(around: Bench) -> None:
    def fail() -> None:
        raise RuntimeError("no")

    assert around.panel.entrance.tamper is not None
    around.panel.entrance.tamper.on_move = fail
    around.panel.entrance.simulate("tamper", True)
    part, error = around.next()  # type: ignore[misc]  # a pair, from on_fault
    assert (part, str(error)) == ("entrance_pins", "no")


@pytest.mark.parametrize("part", ["button", "lights", "guard", "chime"])
def test_restarting_a_part_that_runs_does_no_harm(around: Bench, chimed: queue.Queue[bool], part: str) -> None:
    around.panel.restart(part)
    around.panel.entrance.ring()
    assert chimed.get(timeout=WAIT_S) is True


def test_what_is_not_there_cannot_be_simulated(bench: Bench) -> None:
    assert not any(bench.panel.entrance.simulate(what, True) for what in ("contact", "tamper", "exit", "chime"))


def test_the_description_names_each_pin(around: Bench) -> None:
    about = around.panel.about_pins()
    names = ("chime", "bell_light", "contact", "exit", "tamper")
    assert [about[name] for name in names] == [CHIME, LIGHT, CONTACT, EXIT, TAMPER]
