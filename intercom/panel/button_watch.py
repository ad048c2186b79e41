"""Watches the pin of one button, on a thread of its own."""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from math import inf

from intercom.config import PanelConfig
from intercom.panel.button import Button, ButtonEvent, ShortPulses
from intercom.panel.pins import Pins, claim

log = logging.getLogger(__name__)

LONGEST_DELAY_S = 5.0
"""Limit of an edge's age: an older one, or one of the future, has its time from another clock, and counts from now."""

LOOK_S = 1.0
"""Interval of the button's readings between its deadlines: they show the press, or the release, whose edge was lost."""


class ButtonWatch:
    """Feeds the edges of one button's pin and the time into the button's logic, and reports its events.

    `setting` names the pin in the configuration. gpiozero's own `bounce_time` is not used: lgpio's debounce reports an
    edge only after the whole bounce time.
    """

    def __init__(
        self,
        gpio: int,
        setting: str,
        config: PanelConfig,
        pins: Pins,
        *,
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
            gpio,
            setting,
            partial(DigitalInputDevice, gpio, pull_up=True, pin_factory=pins.factory),
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
                "The button (GPIO %d) is down at the start, and counts once it was released: is it stuck?", gpio
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

    @property
    def is_stuck(self) -> bool:
        """Whether the button has been down since the start."""
        return self._button.is_stuck

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
