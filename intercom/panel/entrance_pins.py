"""The optional pins around the door: chime, second bell light, door contact, exit button and tamper switch."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import msgspec

from intercom.config import NO_GPIO, DoorConfig, PanelConfig
from intercom.panel.button import ButtonEvent
from intercom.panel.button_watch import ButtonWatch
from intercom.panel.door import Door
from intercom.panel.lights import PWM_HZ, Lights
from intercom.panel.pins import Pins, claim
from intercom.panel.relay.pin import claim_relay, release_relay
from intercom.panel.relay.relay_watchdog_control import Guard

log = logging.getLogger(__name__)

LATE_S = 5.0
"""Time beyond its pulse after which a chime that still rings shows that the program hangs, and its guard kills it. A
card stands still for a second now and then; the coil bears it."""


class Faults(msgspec.Struct, frozen=True):
    """What is told of the faults of these pins, by the part that has them; each may be called from any thread."""

    chime: Callable[[Exception], None]
    lights: Callable[[Exception], None]
    button: Callable[[Exception], None]
    entrance: Callable[[Exception], None]


class Switch:
    """A switch to ground; `on_move` is called on the pins' own thread whenever it may have moved."""

    def __init__(self, gpio: int, setting: str, pins: Pins, *, on_fault: Callable[[Exception], None]) -> None:
        from gpiozero import DigitalInputDevice

        self.on_move: Callable[[], None] | None = None
        self._on_fault = on_fault
        self._factory = pins.factory
        self._gpio = gpio
        device = partial(DigitalInputDevice, gpio, pull_up=True, pin_factory=pins.factory)
        self._device = claim(pins, gpio, setting, device)
        if pins.simulated:
            self.simulate(True)
        self._device.when_activated = self._device.when_deactivated = self._moved

    @property
    def is_closed(self) -> bool:
        """Whether its contact is closed now; it may bounce."""
        return bool(self._device.is_active)

    def simulate(self, closed: bool) -> None:
        """Close or open the simulated switch; only with simulated pins."""
        pin = self._factory.pin(self._gpio)
        if closed:
            pin.drive_low()
        else:
            pin.drive_high()

    def close(self) -> None:
        """Release the pin."""
        if not self._device.closed:
            # gpiozero's `close` leaves its edge callback with lgpio, whose thread for all pins dies of the next edge.
            self._device.pin.when_changed = None
            self._device.close()

    def _moved(self) -> None:
        if self.on_move is None:
            return
        try:
            self.on_move()
        except Exception as error:
            log.exception("What was told that a switch moved failed.")
            self._on_fault(error)


class EntrancePins:
    """The pins around the door, each None or absent where it is not configured.

    `on_exit` is called on the exit button's thread; `chime` and `show_ringing` may be used from any thread.
    """

    def __init__(
        self,
        panel: PanelConfig,
        door: DoorConfig,
        pins: Pins,
        *,
        faults: Faults,
        told_relay: Callable[[Any], Any],
        clock: Callable[[], float],
    ) -> None:
        """`told_relay` wraps a relay so that the buttons are told before its coil disturbs their lines."""
        self.on_exit: Callable[[], None] | None = None
        self._panel = panel
        self._door = door
        self._pins = pins
        self._faults = faults
        self._factory = pins.factory
        with contextlib.ExitStack() as stack:
            self._chime_relay: Any = None
            self.chime = self._open_chime(stack, told_relay, clock)
            self._bell_led: Any = None
            self.bell_light = self._open_bell_light(stack, clock)
            self.contact = self._open_switch(stack, door.contact_gpio, "door.contact_gpio")
            self.tamper = self._open_switch(stack, door.tamper_gpio, "door.tamper_gpio")
            if pins.simulated and self.contact is not None:
                self.contact.simulate(door.contact_closed_with_door)
            self._exit = self._open_exit(stack)
            self._stack = stack.pop_all()

    @property
    def gpios(self) -> dict[str, int | None]:
        """Return the GPIO number of each of these pins; None for an absent one."""
        panel, door = self._panel, self._door
        all_of_them = {
            "chime": panel.chime_gpio,
            "bell_light": panel.bell_light_gpio,
            "contact": door.contact_gpio,
            "exit": door.exit_gpio,
            "tamper": door.tamper_gpio,
        }
        return {name: None if gpio == NO_GPIO else gpio for name, gpio in all_of_them.items()}

    @property
    def levels(self) -> dict[str, float | bool | None]:
        """Return what each pin shows now: chime and light on, door and box open, exit button down; None without one."""
        return {
            "chime": None if self._chime_relay is None else bool(self._chime_relay.value),
            "bell_light": None if self._bell_led is None else float(self._bell_led.value),
            "contact": self.door_is_open,
            "exit": None if self._exit is None else self._exit.pin_is_low,
            "tamper": self.box_is_open,
        }

    @property
    def exit_is_stuck(self) -> bool:
        """Whether the exit button has been down since the start, so that it opens nothing."""
        return self._exit is not None and self._exit.is_stuck

    @property
    def door_is_open(self) -> bool | None:
        """Whether the contact says now that the door stands open; None without a contact."""
        return None if self.contact is None else self.contact.is_closed is not self._door.contact_closed_with_door

    @property
    def box_is_open(self) -> bool | None:
        """Whether the tamper switch says now that the box is open; None without one."""
        return None if self.tamper is None else not self.tamper.is_closed

    @property
    def guard_pid(self) -> int | None:
        """Process id of the chime's guard; None without a chime."""
        return None if self.chime is None else self._guard.pid

    def ring(self) -> None:
        """Ring the chime for its pulse, if there is one; a chime that cannot is a fault, and no error here."""
        if self.chime is None:
            return
        try:
            self.chime.open()
        except Exception as error:  # noqa: BLE001 - whatever the pins raise (lgpio's derive from it) is a fault
            self._faults.chime(error)

    def simulate(self, what: str, on: bool) -> bool:
        """Open or close the simulated door ("contact") or box ("tamper"), or press or release "exit".

        Return False where the pin is not there. Only with simulated pins.
        """
        if what == "contact" and self.contact is not None:
            self.contact.simulate(on is not self._door.contact_closed_with_door)
        elif what == "tamper" and self.tamper is not None:
            self.tamper.simulate(not on)
        elif what == "exit" and self._exit is not None:
            pin = self._factory.pin(self._door.exit_gpio)
            (pin.drive_low if on else pin.drive_high)()
        else:
            return False
        return True

    def relay_moves(self) -> None:
        """Note that a relay is about to go on or off."""
        if self._exit is not None:
            self._exit.relay_moves()

    def restart(self, part: str) -> None:
        """Restart "button", "lights" or "chime" after a fault; raises the new fault, if any."""
        if part == "button" and self._exit is not None:
            self._exit.restart()
        elif part == "lights" and self.bell_light is not None:
            self.bell_light.restart()
        elif part == "chime" and self.chime is not None:
            self._guard.look_after()

    def close(self) -> None:
        """Turn the chime and the light off and release the pins."""
        self._stack.close()

    def _open_chime(
        self, stack: contextlib.ExitStack, told_relay: Callable[[Any], Any], clock: Callable[[], float]
    ) -> Door | None:
        config = self._panel
        if config.chime_gpio == NO_GPIO:
            return None
        self._chime_relay = claim_relay(
            self._pins, config.chime_gpio, config.chime_active_high, setting="panel.chime_gpio"
        )
        stack.callback(release_relay, self._chime_relay)
        guarded = DoorConfig(
            relay_gpio=config.chime_gpio, relay_active_high=config.chime_active_high, cap_s=config.chime_s + LATE_S
        )
        fault = self._faults.chime
        self._guard = Guard(guarded, simulated=self._pins.simulated, name="chime", on_fault=fault)
        stack.callback(self._guard.close)
        chime = Door(
            told_relay(self._chime_relay),
            self._guard,
            pulse_s=config.chime_s,
            cap_s=config.chime_s,
            on_fault=fault,
            on_guard_fault=fault,
            name="chime",
            clock=clock,
        )
        stack.callback(chime.close)
        return chime

    def _open_bell_light(self, stack: contextlib.ExitStack, clock: Callable[[], float]) -> Lights | None:
        from gpiozero import PWMLED

        config = self._panel
        if config.bell_light_gpio == NO_GPIO:
            return None
        led = partial(
            PWMLED,
            config.bell_light_gpio,
            active_high=config.lights_active_high,
            frequency=PWM_HZ,
            pin_factory=self._factory,
        )
        self._bell_led = claim(self._pins, config.bell_light_gpio, "panel.bell_light_gpio", led)
        lights = Lights([self._bell_led], on_fault=self._faults.lights, clock=clock)
        stack.callback(lights.close)
        return lights

    def _open_switch(self, stack: contextlib.ExitStack, gpio: int, setting: str) -> Switch | None:
        if gpio == NO_GPIO:
            return None
        switch = Switch(gpio, setting, self._pins, on_fault=self._faults.entrance)
        stack.callback(switch.close)
        return switch

    def _open_exit(self, stack: contextlib.ExitStack) -> ButtonWatch | None:
        gpio = self._door.exit_gpio
        if gpio == NO_GPIO:
            return None
        fault = self._faults.button
        watch = ButtonWatch(gpio, "door.exit_gpio", self._panel, self._pins, report=self._report_exit, on_fault=fault)
        stack.callback(watch.close)
        return watch

    def _report_exit(self, event: ButtonEvent) -> None:
        if event is not ButtonEvent.PRESSED or self.on_exit is None:
            return
        try:
            self.on_exit()
        except Exception as error:
            log.exception("What was told that the exit button was pressed failed.")
            self._faults.button(error)
