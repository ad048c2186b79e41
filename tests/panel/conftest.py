"""Front panels on gpiozero's own mock pins."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import DoorConfig, PanelConfig
from intercom.panel import FrontPanel, entrance_pins, front
from intercom.panel.relay import relay_watchdog_control
from intercom.panel.relay.relay_watchdog_control import Guard

WAIT_S = 60.0
"""Longer than anything here takes on a loaded machine; nothing waits for it when all is well."""

NEVER_S = 3600.0
"""Seconds for which no test holds a button, however late it lets go."""


class Clock:
    """The clock of door and lights: it stands still but for what a test lets pass."""

    def __init__(self) -> None:
        self._now = 0.0

    def __call__(self) -> float:
        return self._now

    def passes(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now += seconds


class Bench:
    """A front panel, its pins and what it reported."""

    def __init__(self, panel: FrontPanel, factory: Any, config: PanelConfig, door: DoorConfig) -> None:
        self.panel = panel
        self.factory = factory
        self.config = config
        self.door_config = door
        self.reported: queue.Queue[object] = queue.Queue()
        panel.on_press = lambda _: self.reported.put("pressed")
        panel.on_hold = lambda: self.reported.put("held")
        panel.on_release = lambda: self.reported.put("released")
        panel.on_fault = lambda part, error: self.reported.put((part, error))
        panel.door.on_change = lambda is_open: self.reported.put("open" if is_open else "closed")

    def press(self) -> None:
        """Close the button's contact."""
        self.factory.pin(self.config.button_gpio).drive_low()

    def release(self) -> None:
        """Open the button's contact."""
        self.factory.pin(self.config.button_gpio).drive_high()

    def relay(self) -> bool:
        """The level of the relay's pin."""
        return bool(self.factory.pin(self.door_config.relay_gpio).state)

    def next(self) -> object:
        """What the panel reports next."""
        return self.reported.get(timeout=WAIT_S)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def factory() -> MockFactory:
    return MockFactory(pin_class=MockPWMPin)


@pytest.fixture
def make_bench(factory: MockFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Bench]]:
    """Make a bench from settings of the panel and the door, and a clock for its door and lights."""
    # The guards are real and go by the real time: they would kill this process while a test's clock stands still.
    monkeypatch.setattr(entrance_pins, "LATE_S", NEVER_S)
    monkeypatch.setattr(front, "Guard", lambda door, **how: Guard(replace(door, cap_s=NEVER_S), **how))
    # A guard's interpreter starts on a machine that is busy with much else.
    monkeypatch.setattr(relay_watchdog_control, "FIRST_ANSWER_S", WAIT_S)
    benches: list[Bench] = []

    def make(*, door: dict[str, Any] | None = None, clock: Callable[[], float] = time.monotonic, **panel: Any) -> Bench:
        config, door_config = PanelConfig(**{"hold_s": NEVER_S, **panel}), DoorConfig(**(door or {}))
        front = FrontPanel(config, door_config, pin_factory=factory, clock=clock)
        benches.append(Bench(front, factory, config, door_config))
        return benches[-1]

    yield make
    for bench in benches:
        bench.panel.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("panel-")]


@pytest.fixture
def bench(make_bench: Callable[..., Bench]) -> Bench:
    return make_bench()
