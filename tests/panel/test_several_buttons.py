"""Several buttons: each is felt by itself and reported by its name."""

from __future__ import annotations

import queue
from collections.abc import Callable

from intercom.config import ButtonConfig
from tests.panel.conftest import WAIT_S, Bench

BUTTONS = ButtonConfig(gpio=5, name="House"), ButtonConfig(gpio=6, name="Office")


def bench_of(make_bench: Callable[..., Bench]) -> tuple[Bench, queue.Queue[str]]:
    bench, pressed = make_bench(button=BUTTONS), queue.Queue[str]()
    bench.panel.on_press = pressed.put
    return bench, pressed


def test_a_press_is_reported_with_the_name_of_its_button(make_bench: Callable[..., Bench]) -> None:
    bench, pressed = bench_of(make_bench)
    bench.factory.pin(6).drive_low()
    assert pressed.get(timeout=WAIT_S) == "Office"
    bench.factory.pin(5).drive_low()
    assert pressed.get(timeout=WAIT_S) == "House"
    assert bench.panel.buttons_down == [True, True]


def test_the_page_presses_each_button_by_its_number(make_bench: Callable[..., Bench]) -> None:
    bench, pressed = bench_of(make_bench)
    bench.panel.simulate_button(True, 1)
    assert pressed.get(timeout=WAIT_S) == "Office"
    assert bench.panel.buttons_down == [False, True]
    bench.panel.simulate_button(False, 1)
    assert bench.next() == "released"


def test_the_pins_of_all_buttons_are_told(make_bench: Callable[..., Bench]) -> None:
    bench, _ = bench_of(make_bench)
    assert bench.panel.about_pins()["buttons"] == [{"name": "House", "gpio": 5}, {"name": "Office", "gpio": 6}]


def test_short_pulses_of_all_buttons_are_counted(make_bench: Callable[..., Bench]) -> None:
    bench, _ = bench_of(make_bench)
    assert bench.panel.short_pulses.count == 0
    bench.panel.restart("button")
