"""The front panel: the button, the lights and the door's relay."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from math import inf
from typing import Any

from intercom.config import CameraConfig, DoorConfig, PanelConfig
from intercom.panel.alerts import AlertWaker
from intercom.panel.button import Button, ButtonEvent, ShortPulses
from intercom.panel.camera_pins import CameraPins, with_simulated_pins
from intercom.panel.door import Door
from intercom.panel.lights import PWM_HZ, Lights
from intercom.panel.patterns import Pattern
from intercom.panel.pins import Pins, claim, open_pins
from intercom.panel.relay.pin import claim_relay, release_relay
from intercom.panel.relay.relay_watchdog_control import Guard

log = logging.getLogger(__name__)

LONGEST_DELAY_S = 5.0
"""Limit of an edge's age: an older one, or one of the future, has its time from another clock, and counts from now."""

LOOK_S = 1.0
"""Interval of the button's readings between its deadlines: they show the press, or the release, whose edge was lost."""


class FrontPanel:
    """The button, the lights and the door's relay, on gpiozero; a context manager.

    `on_press`, `on_hold` and `on_release` are called on the panel's button thread: hand them to the event loop with
    `loop.call_soon_threadsafe`. `on_fault` is called, with "button", "lights", "relay", "guard" or "camera_pins" and
    the exception, on whatever thread met it: that part, or its callback, has failed; `restart` sets button, lights and
    guard going again. `show`, `camera.show` and `door.open` may be called from any thread.

    Raises PinsError, GuardError.
    """

    def __init__(
        self,
        config: PanelConfig,
        door: DoorConfig,
        camera: CameraConfig | None = None,
        *,
        pin_factory: Any = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_press: Callable[[], None] | None = None
        self.on_hold: Callable[[], None] | None = None
        self.on_release: Callable[[], None] | None = None
        self.on_fault: Callable[[str, Exception], None] | None = None
        self._config = config
        self._door_config = door
        with contextlib.ExitStack() as stack:
            self.pins = open_pins(config.pins) if pin_factory is None else _given_pins(pin_factory)
            if pin_factory is None:
                stack.callback(self.pins.factory.close)
            # The relay first: it is claimed, and off, before anything else can fail.
            self._relay = claim_relay(self.pins, door.relay_gpio, door.relay_active_high)
            stack.callback(release_relay, self._relay)
            self._button = _ButtonWatch(config, self.pins, self._report, self._fault_of("button"))
            stack.callback(self._button.close)
            self._guard = Guard(door, simulated=self.pins.simulated, on_fault=self._fault_of("guard"))
            stack.callback(self._guard.close)
            self.door = Door(
                _ToldRelay(self._relay, self._button.relay_moves),
                self._guard,
                pulse_s=door.pulse_s,
                cap_s=door.cap_s,
                on_fault=self._fault_of("relay"),
                on_guard_fault=self._fault_of("guard"),
                clock=clock,
            )
            stack.callback(self.door.close)
            self._leds = _open_leds(config, self.pins)
            self.lights = Lights(self._leds, on_fault=self._fault_of("lights"), clock=clock)
            stack.callback(self.lights.close)
            self.camera = self._open_camera_pins(camera or CameraConfig())
            stack.callback(self.camera.close)
            if self.pins.chip is not None:
                stack.callback(AlertWaker(self.pins.chip).close)
            self._stack = stack.pop_all()

    @property
    def simulated(self) -> bool:
        """Whether the pins are simulated: the panel page stands in for the hardware."""
        return self.pins.simulated

    @property
    def short_pulses(self) -> ShortPulses:
        """Pulses on the button's line that were too short for a press; their times are time.monotonic's."""
        return self._button.short_pulses

    @property
    def light_values(self) -> tuple[float, ...]:
        """Current values of the light's pins, each 0 to 1: red, green, blue; or one value; or none."""
        return tuple(float(led.value) for led in self._leds)

    @property
    def guard_pid(self) -> int:
        """Process id of the door's guard."""
        return self._guard.pid

    @property
    def button_pin_is_low(self) -> bool:
        """Whether the button's pin is at ground: the contact is closed."""
        return self._button.pin_is_low

    @property
    def relay_is_on(self) -> bool:
        """Whether the relay's pin is at the level that opens the door."""
        return bool(self._relay.value)

    def simulate_button(self, down: bool) -> None:
        """Drive the simulated button's pin low (down) or high; only with simulated pins."""
        pin = self.pins.factory.pin(self._config.button_gpio)
        if down:
            pin.drive_low()
        else:
            pin.drive_high()

    def about_pins(self) -> dict[str, object]:
        """Return the GPIO number of each function, and a description of the pins.

        Its keys are "button", "light" (in order), "relay", "camera_light", "camera_switch" (None without one) and
        "pins".
        """
        return {
            "button": self._config.button_gpio,
            "light": light_gpios(self._config),
            "relay": self._door_config.relay_gpio,
            **self.camera.gpios,
            "pins": self.pins.description,
        }

    def show(self, pattern: Pattern) -> None:
        """Show `pattern` on the lights; its first moment is on the pins when this returns."""
        self.lights.show(pattern)

    def restart(self, part: str) -> None:
        """Restart "button", "lights" or "guard" after a fault; harmless while it runs. Raises the new fault, if any."""
        {"button": self._button.restart, "lights": self.lights.restart, "guard": self._guard.look_after}[part]()

    def close(self) -> None:
        """Close the door, turn the lights off and release the pins."""
        self._stack.close()

    def __enter__(self) -> "FrontPanel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_camera_pins(self, camera: CameraConfig) -> CameraPins:
        if self.simulated:
            used = {self._config.button_gpio, self._door_config.relay_gpio, *light_gpios(self._config)}
            camera = with_simulated_pins(camera, used)
        return CameraPins(camera, self.pins, on_fault=self._fault_of("camera_pins"))

    def _report(self, event: ButtonEvent) -> None:
        callback = {
            ButtonEvent.PRESSED: self.on_press,
            ButtonEvent.HELD: self.on_hold,
            ButtonEvent.RELEASED: self.on_release,
        }[event]
        if callback is None:
            return
        try:
            callback()
        except Exception as error:
            log.exception("What was told that the button was %s failed.", event.value)
            self._fault_of("button")(error)

    def _fault_of(self, part: str) -> Callable[[Exception], None]:
        def fault(error: Exception) -> None:
            if self.on_fault is not None:
                self.on_fault(part, error)

        return fault


def _given_pins(factory: Any) -> Pins:
    from gpiozero.pins.mock import MockFactory

    return Pins(factory, isinstance(factory, MockFactory), "pins that were passed in")


def light_gpios(config: PanelConfig) -> list[int]:
    """Return the GPIO numbers of the light: red, green, blue; or one; or none."""
    if config.light == "rgb":
        return [config.red_gpio, config.green_gpio, config.blue_gpio]
    return [config.green_gpio] if config.light == "single" else []


def _open_leds(config: PanelConfig, pins: Pins) -> list[Any]:
    from gpiozero import PWMLED

    def led(gpio: int) -> Any:
        return PWMLED(gpio, active_high=config.lights_active_high, frequency=PWM_HZ, pin_factory=pins.factory)

    names = ("red", "green", "blue") if config.light == "rgb" else ("green",)
    return [
        claim(pins, gpio, f"panel.{name}_gpio", partial(led, gpio))
        for name, gpio in zip(names, light_gpios(config), strict=False)
    ]


class _ToldRelay:
    """The relay, wrapped: `before` is called before each of its edges, because its coil disturbs the button's line."""

    def __init__(self, relay: Any, before: Callable[[], None]) -> None:
        self._relay = relay
        self._before = before

    def on(self) -> None:
        self._before()
        self._relay.on()

    def off(self) -> None:
        self._before()
        self._relay.off()


class _ButtonWatch:
    """Feeds the pin's edges and the time into the button's logic, and reports its events.

    gpiozero's own `bounce_time` is not used: lgpio's debounce reports an edge only after the whole bounce time.
    """

    def __init__(
        self,
        config: PanelConfig,
        pins: Pins,
        report: Callable[[ButtonEvent], None],
        on_fault: Callable[[Exception], None],
    ) -> None:
        from gpiozero import DigitalInputDevice

        self._report = report
        self._on_fault = on_fault
        self._changed = threading.Condition()
        self._events: list[ButtonEvent] = []
        self._closed = False
        self._device = claim(
            pins,
            config.button_gpio,
            "panel.button_gpio",
            partial(DigitalInputDevice, config.button_gpio, pull_up=True, pin_factory=pins.factory),
        )
        self._button = Button.starting(
            settle_s=config.button_settle_ms / 1000,
            lockout_s=config.button_lockout_ms / 1000,
            hold_s=config.hold_s,
            level=bool(self._device.is_active),
            now=time.monotonic(),
        )
        if self._button.is_stuck:
            log.warning(
                "The button (GPIO %d) is down at the start, and counts once it was released: is it stuck?",
                config.button_gpio,
            )
        self._device.pin.when_changed = self._edge  # gpiozero's own events tell no time
        self._thread = self._start()

    def restart(self) -> None:
        """Restart the watch after its thread died."""
        with self._changed:
            if not (self._thread.is_alive() or self._closed):
                self._events.clear()
                self._thread = self._start()

    def _start(self) -> threading.Thread:
        thread = threading.Thread(target=self._run, name="panel-button", daemon=True)
        thread.start()
        return thread

    @property
    def short_pulses(self) -> ShortPulses:
        return self._button.short_pulses

    def relay_moves(self) -> None:
        """Note that the door's relay is about to go on or off."""
        with self._changed:
            self._button.relay_moves(time.monotonic())

    @property
    def pin_is_low(self) -> bool:
        return bool(self._device.is_active)

    def close(self) -> None:
        # gpiozero's `close` leaves its edge callback with lgpio, whose thread for all pins dies of the next edge.
        if not self._device.closed:
            self._device.pin.when_changed = None
        self._device.close()
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _edge(self, ticks: float, state: int) -> None:
        """Take an edge; `ticks` is the time at which it happened: lgpio has the kernel's, on the monotonic clock."""
        now = time.monotonic()
        with self._changed:
            self._events += self._button.edge(not state, ticks if 0 <= now - ticks <= LONGEST_DELAY_S else now)
            self._changed.notify()

    def _run(self) -> None:
        try:
            while (events := self._wait_for_events()) is not None:
                for event in events:
                    self._report(event)
        except Exception as error:
            log.exception("The button stopped.")
            self._on_fault(error)

    def _wait_for_events(self) -> list[ButtonEvent] | None:
        """Wait for events and return them; None = the panel is closed."""
        with self._changed:
            while not (self._events or self._closed):
                now = time.monotonic()
                look_at = min(now + LOOK_S, self._button.deadline or inf)
                self._changed.wait(max(look_at - now, 0))
                now = time.monotonic()
                if now >= look_at and not self._closed:
                    self._events += self._button.sample(bool(self._device.is_active), now)
            if self._closed:
                return None
            events, self._events = self._events, []
            return events
