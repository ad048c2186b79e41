"""The front panel: the buttons, the lights and the door's relay."""

import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from intercom.config import CameraConfig, DoorConfig, PanelConfig
from intercom.panel.alerts import AlertWaker
from intercom.panel.button import ButtonEvent, ShortPulses
from intercom.panel.button_watch import ButtonWatch
from intercom.panel.camera_pins import CameraPins, with_simulated_pins
from intercom.panel.door import Door
from intercom.panel.entrance_pins import EntrancePins, Faults
from intercom.panel.lights import PWM_HZ, Lights
from intercom.panel.patterns import Pattern
from intercom.panel.pins import Pins, claim, open_pins
from intercom.panel.relay.pin import claim_relay, release_relay
from intercom.panel.relay.relay_watchdog_control import Guard

log = logging.getLogger(__name__)


class FrontPanel:
    """The buttons, the lights and the door's relay, on gpiozero; a context manager.

    `on_press`, with the button's name, `on_hold` and `on_release` are called on that button's thread: hand them to the
    event loop with `loop.call_soon_threadsafe`. `on_fault` is called, with "button", "lights", "relay", "guard",
    "chime", "camera_pins" or "entrance_pins" and the exception, on whatever thread met it: that part, or its callback,
    has failed; `restart` sets button, lights, guard and chime going again. `show`, `camera.show` and `door.open` may be
    called from any thread.

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
        self.on_press: Callable[[str], None] | None = None
        self.on_hold: Callable[[], None] | None = None
        self.on_release: Callable[[], None] | None = None
        self.on_fault: Callable[[str, Exception], None] | None = None
        self._config = config
        self._door_config = door
        with contextlib.ExitStack() as stack:
            self.pins = open_pins(config.pins) if pin_factory is None else _given_pins(pin_factory)
            if pin_factory is None:
                stack.callback(self.pins.factory.close)
            self._beside_coils: list[Callable[[], None]] = []
            "what is called before a relay's coil moves"
            # The relay first: it is claimed, and off, before anything else can fail.
            self._relay = claim_relay(self.pins, door.relay_gpio, door.relay_active_high)
            stack.callback(release_relay, self._relay)
            self._buttons: list[ButtonWatch] = []
            for number, button in enumerate(config.buttons, start=1):
                setting = f"panel.button {number}" if config.button else "panel.button_gpio"
                report = partial(self._report, button.name)
                fault = self._fault_of("button")
                watch = ButtonWatch(button.gpio, setting, config, self.pins, report=report, on_fault=fault)
                self._buttons.append(watch)
                self._beside_coils.append(watch.relay_moves)
                stack.callback(watch.close)
            self._guard = Guard(door, simulated=self.pins.simulated, on_fault=self._fault_of("guard"))
            stack.callback(self._guard.close)
            self.door = Door(
                _ToldRelay(self._relay, self._relay_moves),
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
            self.entrance = EntrancePins(
                config,
                door,
                self.pins,
                faults=Faults(*map(self._fault_of, ("chime", "lights", "button", "entrance_pins"))),
                told_relay=lambda relay: _ToldRelay(relay, self._relay_moves),
                clock=clock,
            )
            stack.callback(self.entrance.close)
            self._beside_coils.append(self.entrance.relay_moves)
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
        pulses = [button.short_pulses for button in self._buttons]
        last = max(pulses, key=lambda one: one.last_at)
        return ShortPulses(sum(one.count for one in pulses), last.last_at, last.last_s)

    @property
    def light_values(self) -> tuple[float, ...]:
        """Current values of the light's pins, each 0 to 1: red, green, blue; or one value; or none."""
        return tuple(float(led.value) for led in self._leds)

    @property
    def guard_pid(self) -> int:
        """Process id of the door's guard."""
        return self._guard.pid

    @property
    def buttons_down(self) -> list[bool]:
        """Whether each button's pin is at ground: its contact is closed."""
        return [button.pin_is_low for button in self._buttons]

    @property
    def relay_is_on(self) -> bool:
        """Whether the relay's pin is at the level that opens the door."""
        return bool(self._relay.value)

    def simulate_button(self, down: bool, number: int = 0) -> None:
        """Drive the pin of a simulated button, by its number from 0, low (down) or high; only with simulated pins."""
        pin = self.pins.factory.pin(self._config.buttons[number].gpio)
        if down:
            pin.drive_low()
        else:
            pin.drive_high()

    def about_pins(self) -> dict[str, object]:
        """Return the GPIO number of each function, and a description of the pins.

        Its keys are "buttons" (name and GPIO of each), "light" (in order), "relay", "pins" and, None without one,
        "camera_light", "camera_switch", "chime", "bell_light", "contact", "exit" and "tamper".
        """
        return {
            "buttons": [{"name": button.name, "gpio": button.gpio} for button in self._config.buttons],
            "light": light_gpios(self._config),
            "relay": self._door_config.relay_gpio,
            **self.camera.gpios,
            **self.entrance.gpios,
            "pins": self.pins.description,
        }

    def show(self, pattern: Pattern) -> None:
        """Show `pattern` on the lights; its first moment is on the pins when this returns."""
        self.lights.show(pattern)

    def restart(self, part: str) -> None:
        """Restart "button", "lights", "guard" or "chime" after a fault; harmless while it runs.

        Raises the new fault, if any.
        """
        if part == "button":
            for button in self._buttons:
                button.restart()
        elif part == "lights":
            self.lights.restart()
        elif part == "guard":
            self._guard.look_after()
        self.entrance.restart(part)

    def close(self) -> None:
        """Close the door, turn the lights off and release the pins."""
        self._stack.close()

    def __enter__(self) -> "FrontPanel":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _open_camera_pins(self, camera: CameraConfig) -> CameraPins:
        if self.simulated:
            buttons = {button.gpio for button in self._config.buttons}
            used = {*buttons, self._door_config.relay_gpio, *light_gpios(self._config), *self._entrance_gpios()}
            camera = with_simulated_pins(camera, used)
        return CameraPins(camera, self.pins, on_fault=self._fault_of("camera_pins"))

    def _entrance_gpios(self) -> set[int]:
        panel, door = self._config, self._door_config
        return {panel.chime_gpio, panel.bell_light_gpio, door.contact_gpio, door.exit_gpio, door.tamper_gpio}

    def _relay_moves(self) -> None:
        for beside in self._beside_coils:
            beside()

    def _report(self, button: str, event: ButtonEvent) -> None:
        callback = {
            ButtonEvent.PRESSED: self.on_press and partial(self.on_press, button),
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
