"""A far end with telephone keys, and a door that they may open: no sound, no network, a clock that stands."""

from __future__ import annotations

from typing import Any

from intercom.config import DoorConfig
from intercom.door.calls.active_call import CurrentCall
from intercom.facts import DoorOpened, DoorRefused, Fact
from intercom.opening.decision import Kind, Ruling
from intercom.opening.opener import DoorOpener
from intercom.panel import PanelError
from intercom.signalwire import KeyPress


class Lock:
    """A relay that counts."""

    def __init__(self) -> None:
        self.opened = 0
        self.rests = False
        self.broken = False

    def open(self) -> bool:
        """Open it."""
        if self.broken:
            raise PanelError("The relay does not answer.")
        self.opened += not self.rests
        return not self.rests


class Journal:
    """Who opened, and why others did not."""

    def __init__(self) -> None:
        self.openings: list[str] = []
        self.refusals: list[Ruling] = []

    def tell(self, fact: Fact) -> None:
        """Take what the opener tells."""
        match fact:
            case DoorOpened(by):
                self.openings.append(by)
            case DoorRefused(ruling):
                self.refusals.append(Ruling(ruling))
            case _:
                raise AssertionError(fact)


class Line:
    """What a call tells of its far end."""

    def __init__(self, call_id: str, address: str, kind: Kind) -> None:
        self.id, self.to, self.from_, self.far_end_kind = call_id, address, address, kind.value
        self.answered_address = ""


class Keypad:
    """A door with its opener, in one call after another."""

    def __init__(self, **door: Any) -> None:
        self.now = 1000.0
        self.lock = Lock()
        self.journal = Journal()
        self.told: list[dict[str, Any]] = []
        self.opener = DoorOpener(DoorConfig(**door), lock=self.lock, tell=self.journal.tell, clock=lambda: self.now)
        self._calls = 0
        self.current = self.call("/private/house")

    def call(
        self, address: str, *, outbound: bool = True, answered: bool = True, kind: Kind = Kind.UNKNOWN
    ) -> CurrentCall:
        """Begin another call; the one before is over."""
        self._calls += 1
        line: Any = Line(f"call {self._calls}", address, kind)
        self.current = CurrentCall(self._calls, line, outbound=outbound, rings_until=0.0, answered=answered)
        return self.current

    def taps(self) -> bool:
        """Tap the button on the page; whether the door opened."""
        before = self.lock.opened
        told = self.opener.button(self.current)
        if told is not None:
            self.told.append(told)
        return self.lock.opened > before

    def types(self, digits: str, way: Any = "signalling", **heard: Any) -> bool:
        """Press these keys within no time; whether the door opened."""
        before = self.lock.opened
        for digit in digits:
            told = self.opener.key(self.current, KeyPress(digit, way, **heard))
            if told is not None:
                self.told.append(told)
        return self.lock.opened > before
