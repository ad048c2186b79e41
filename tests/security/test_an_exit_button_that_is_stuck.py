"""The attack: somebody blocks the exit button, or shorts its wires, so that the door stays open behind them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel
from tests.panel.conftest import Bench, Clock

EXIT = 13
DOOR = DoorConfig(exit_gpio=EXIT, pulse_s=1.0, cap_s=3.0)


class StuckPin(MockPWMPin):  # type: ignore[misc]  # gpiozero is untyped
    """A pin whose button is down already."""

    def _set_pull(self, value: str) -> None:
        super()._set_pull(value)
        self.drive_low()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=MockPWMPin)


@pytest.fixture
def bench(request: Any, factory: MockFactory, clock: Clock) -> Iterator[Bench]:
    """A panel whose exit button opens the door, as it does in a whole door."""
    if getattr(request, "param", "") == "stuck":
        factory.pin(EXIT, pin_class=StuckPin)
    with FrontPanel(PanelConfig(), DOOR, pin_factory=factory, clock=clock) as panel:
        panel.entrance.on_exit = lambda: opens(panel)
        yield Bench(panel, factory, PanelConfig(), DOOR)


def opens(panel: FrontPanel) -> None:
    panel.door.open()


def test_a_button_that_stays_down_opens_the_door_once(bench: Bench, clock: Clock) -> None:
    bench.factory.pin(EXIT).drive_low()
    assert bench.next() == "open"
    clock.passes(1.0)
    assert bench.next() == "closed"
    clock.passes(3600.0)
    bench.press()
    assert bench.next() == "pressed", "and nothing before that"
    assert not bench.relay()


@pytest.mark.parametrize("bench", ["stuck"], indirect=True)
def test_a_button_that_is_down_at_the_start_opens_nothing_until_it_was_released(bench: Bench) -> None:
    assert bench.panel.entrance.exit_is_stuck
    bench.press()
    assert bench.next() == "pressed"
    assert not bench.relay()


def test_a_button_that_chatters_does_not_hold_the_door_past_the_cap(bench: Bench, clock: Clock) -> None:
    for _ in range(3):
        bench.panel.entrance.on_exit()  # type: ignore[misc]  # it is set above
        clock.passes(1.0)
    bench.panel.entrance.on_exit()  # type: ignore[misc]  # just before the door closes, or while it rests after that
    assert [bench.next(), bench.next()] == ["open", "closed"]
    assert not bench.relay()
