"""The door, and the chime: a relay that turns itself off."""

import atexit
import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from intercom.panel.errors import GuardError, PanelClosedError
from intercom.panel.opening import Opening

log = logging.getLogger(__name__)


LOOK_S = 10.0
"""Poll interval of the guard while the door is closed."""


class Relay(Protocol):
    """The relay's interface, as in `gpiozero.OutputDevice`."""

    def on(self) -> None: ...
    def off(self) -> None: ...


class DoorGuard(Protocol):
    """The guard process's interface for its relay."""

    def door_opens(self) -> None: ...
    def door_closed(self) -> None: ...
    def look_after(self) -> None: ...
    def close(self) -> None: ...


class Door:
    """Opens the door for a pulse; its own thread closes it, independently of the event loop.

    The chime is rung by another one: `name` says for the log what the relay drives.
    Closed at the start and at the interpreter's exit. If this process dies or hangs while the door is open, the guard
    process turns the relay off. Every method may be called from any thread.
    """

    def __init__(
        self,
        relay: Relay,
        guard: DoorGuard,
        *,
        pulse_s: float,
        cap_s: float,
        on_fault: Callable[[Exception], None],
        on_guard_fault: Callable[[Exception], None],
        name: str = "door",
        look_s: float = LOOK_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.on_change: Callable[[bool], None] | None = None
        """Called with True when the door opens (on the caller's thread), False when it closes (on the door's)."""
        self._relay = relay
        self._guard = guard
        self._pulse_s = pulse_s
        self._on_fault = on_fault
        self._on_guard_fault = on_guard_fault
        self._name = name
        self._look_s = look_s
        self._clock = clock
        self._opening = Opening(cap_s)
        self._changed = threading.Condition()
        self._closed = False
        relay.off()
        self._thread = threading.Thread(target=self._run, name=f"panel-{name}", daemon=True)
        self._thread.start()
        atexit.register(self.close)

    @property
    def is_open(self) -> bool:
        """Whether the relay is on."""
        return self._opening.is_open

    def open(self, pulse_s: float | None = None) -> bool:
        """Open for `pulse_s` seconds (None = as configured), or keep open that long from now, up to the cap.

        False = refused: the door was held open for the whole cap and rests for a second.
        Raises ValueError for a pulse that is not positive, GuardError, PanelClosedError.
        """
        seconds = self._pulse_s if pulse_s is None else pulse_s
        if not seconds > 0:
            raise ValueError(f"A door opens for more than 0 s, not {seconds}.")
        with self._changed:
            if self._closed:
                raise PanelClosedError(f"The panel is closed: the relay of the {self._name} stays off.")
            was_open = self._opening.is_open
            if not self._opening.open(seconds, self._clock()):
                log.info("The relay of the %s was on for as long as it may; it rests for a second.", self._name)
                return False
            if not was_open:
                self._turn_on()
            self._changed.notify()
        if not was_open:
            self._tell(True)
        return True

    def close(self) -> None:
        """Close the door for good, and end its thread and its guard; the owner of the relay's pin releases it."""
        with self._changed:
            if self._closed:
                return
            self._closed = True
            self._changed.notify()
        atexit.unregister(self.close)
        if threading.current_thread() is not self._thread:
            self._thread.join()
        self._guard.close()

    def _turn_on(self) -> None:
        try:
            self._guard.door_opens()
            self._relay.on()
        except BaseException:
            self._relay.off()
            self._opening.close(self._clock())
            self._guard.door_closed()
            raise

    def _run(self) -> None:
        try:
            while self._wait_until_due():
                self._tell(False)
        except Exception as error:
            # The guard still counts the door as open, and will end this process.
            log.exception("The relay of the %s does not turn off.", self._name)
            self._on_fault(error)

    def _wait_until_due(self) -> bool:
        """Wait, turn the relay off when its time has come, and return True; False = the panel is closed."""
        with self._changed:
            while not (self._closed or self._opening.is_due(self._clock())):
                opening = self._opening
                if not self._changed.wait(opening.closes_at - self._clock() if opening.is_open else self._look_s):
                    self._look_after_guard()
            if self._opening.is_open:
                self._relay.off()
                self._opening.close(self._clock())
                self._guard.door_closed()
                return True
            return False

    def _look_after_guard(self) -> None:
        if self._closed or self._opening.is_open:
            return
        try:
            self._guard.look_after()
        except GuardError as error:
            self._on_guard_fault(error)

    def _tell(self, is_open: bool) -> None:
        if self.on_change is None:
            return
        try:
            self.on_change(is_open)
        except Exception as error:
            log.exception("What was told that the relay of the %s changed failed.", self._name)
            self._on_fault(error)
