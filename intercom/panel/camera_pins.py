"""The camera's two optional pins: a light that shows that it runs, and a switch that holds it off."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from intercom.config import NO_GPIO, CameraConfig
from intercom.config.panel import GPIO_HIGHEST
from intercom.panel.pins import Pins, claim

log = logging.getLogger(__name__)

SPARE_GPIOS = tuple(dict.fromkeys((5, 6, 12, 13, 16, 19, 20, 26, *range(GPIO_HIGHEST + 1))))
"""Pins of the header, those that have no other function there first."""


def with_simulated_pins(config: CameraConfig, used: set[int]) -> CameraConfig:
    """Return the configuration with pins for those it leaves out, so that a simulated panel shows both."""
    spare = (gpio for gpio in SPARE_GPIOS if gpio not in used | {config.light_gpio, config.forbid_gpio})
    light, forbid = config.light_gpio, config.forbid_gpio
    return replace(
        config,
        light_gpio=next(spare) if light == NO_GPIO else light,
        forbid_gpio=next(spare) if forbid == NO_GPIO else forbid,
    )


class CameraPins:
    """The light and the switch; `on_switch` is called on the pins' own thread whenever the switch may have moved."""

    def __init__(self, config: CameraConfig, pins: Pins, *, on_fault: Callable[[Exception], None]) -> None:
        from gpiozero import LED, DigitalInputDevice

        self.on_switch: Callable[[], None] | None = None
        self._config = config
        self._factory = pins.factory
        self._on_fault = on_fault
        self._light: Any = None
        self._switch: Any = None
        if config.light_gpio != NO_GPIO:
            light = partial(LED, config.light_gpio, pin_factory=pins.factory)
            self._light = claim(pins, config.light_gpio, "camera.light_gpio", light)
        if config.forbid_gpio != NO_GPIO:
            switch = partial(DigitalInputDevice, config.forbid_gpio, pull_up=True, pin_factory=pins.factory)
            self._switch = claim(pins, config.forbid_gpio, "camera.forbid_gpio", switch)
            self._switch.when_activated = self._switch.when_deactivated = self._moved

    @property
    def gpios(self) -> dict[str, int | None]:
        """Return the GPIO numbers of "camera_light" and "camera_switch"; None for an absent one."""
        return {
            "camera_light": None if self._light is None else self._config.light_gpio,
            "camera_switch": None if self._switch is None else self._config.forbid_gpio,
        }

    @property
    def light_is_on(self) -> bool:
        """Whether the light's pin shows that the camera runs."""
        return self._light is not None and bool(self._light.value)

    @property
    def forbids(self) -> bool:
        """Whether the switch is closed, so that the camera may not run."""
        return self._switch is not None and bool(self._switch.is_active)

    def show(self, running: bool) -> None:
        """Switch the light on or off; from any thread."""
        if self._light is not None and not self._light.closed:
            self._light.value = running

    def simulate_switch(self, closed: bool) -> None:
        """Close or open the simulated switch; only with simulated pins."""
        pin = self._factory.pin(self._config.forbid_gpio)
        if closed:
            pin.drive_low()
        else:
            pin.drive_high()

    def close(self) -> None:
        """Turn the light off and release the pins."""
        if self._switch is not None and not self._switch.closed:
            # gpiozero's `close` leaves its edge callback with lgpio, whose thread for all pins dies of the next edge.
            self._switch.pin.when_changed = None
            self._switch.close()
        if self._light is not None:
            self._light.close()

    def _moved(self) -> None:
        """Call `on_switch` at every bounce of the contact; it reads `forbids`, and the last reading is right."""
        if self.on_switch is None:
            return
        try:
            self.on_switch()
        except Exception as error:
            log.exception("What was told of the camera's switch failed.")
            self._on_fault(error)
