"""The camera's light and switch: on the pins that are configured, on spare ones where the panel is simulated."""

from __future__ import annotations

import queue
from collections.abc import Callable
from typing import Any

import pytest
from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import CameraConfig, DoorConfig, PanelConfig
from intercom.panel import FrontPanel
from intercom.panel.camera_pins import CameraPins
from intercom.panel.pins import Pins
from tests.panel.conftest import WAIT_S, Bench


@pytest.fixture
def pins(factory: MockFactory) -> Pins:
    return Pins(factory, False, "mock pins that pass for real ones")


def raises(error: Exception) -> None:
    raise error


def test_the_light_is_on_while_the_camera_runs(factory: Any, pins: Pins) -> None:
    camera = CameraPins(CameraConfig(light_gpio=5), pins, on_fault=raises)
    assert not factory.pin(5).state
    camera.show(True)
    assert factory.pin(5).state
    camera.show(False)
    assert not factory.pin(5).state
    camera.close()


def test_a_switch_that_moves_is_told(factory: Any, pins: Pins) -> None:
    camera = CameraPins(CameraConfig(forbid_gpio=6), pins, on_fault=raises)
    told: queue.Queue[bool] = queue.Queue()
    camera.on_switch = lambda: told.put(camera.forbids)
    factory.pin(6).drive_low()
    assert told.get(timeout=WAIT_S) is True
    factory.pin(6).drive_high()
    assert told.get(timeout=WAIT_S) is False
    camera.close()


def test_real_pins_that_are_not_configured_are_left_alone(factory: Any, pins: Pins) -> None:
    camera = CameraPins(CameraConfig(), pins, on_fault=raises)
    camera.show(True)
    assert (camera.light_is_on, camera.forbids) == (False, False)
    assert camera.gpios == {"camera_light": None, "camera_switch": None}
    assert factory.pins == {}
    camera.close()


def test_a_simulated_panel_has_both_on_pins_that_nothing_else_has(make_bench: Callable[..., Bench]) -> None:
    panel = make_bench(door={"relay_gpio": 5}, button_gpio=6).panel
    assert panel.camera.gpios == {"camera_light": 12, "camera_switch": 13}
    panel.camera.simulate_switch(True)
    assert panel.camera.forbids


def test_a_callback_that_fails_is_a_fault_of_the_panel() -> None:
    faults: queue.Queue[tuple[str, Exception]] = queue.Queue()
    with FrontPanel(PanelConfig(), DoorConfig(), pin_factory=MockFactory(pin_class=MockPWMPin)) as panel:
        panel.on_fault = lambda part, error: faults.put((part, error))
        panel.camera.on_switch = lambda: raises(OSError("broken"))
        panel.camera.simulate_switch(True)
        part, error = faults.get(timeout=WAIT_S)
        assert (part, str(error)) == ("camera_pins", "broken")
