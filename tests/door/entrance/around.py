"""The pins around a door without hardware, a clock that stands, and what the door tells of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intercom.config import DoorConfig
from intercom.door.entrance.entrance import Entrance
from intercom.door.entrance.settled import SETTLE_S
from intercom.door.health.faults import Faults
from intercom.facts import Fact, LockChanged
from intercom.history.journal import Entry, Journal
from intercom.opening.opener import DoorOpener
from intercom.panel import PanelError, Pattern


class Switch:
    """A switch that a test moves."""

    on_move: Callable[[], None] | None = None


class Chime:
    """A chime's relay."""

    on_change: Callable[[bool], None] | None = None


class Light:
    """A light that knows what it shows."""

    pattern = Pattern.OFF

    def show(self, pattern: Pattern) -> None:
        """Show this."""
        self.pattern = pattern


class Pins:
    """Contact, tamper switch, exit button, chime and second bell light."""

    def __init__(self, *, wired: bool = True) -> None:
        self.on_exit: Callable[[], None] | None = None
        self.contact, self.tamper, self.chime, self.bell_light = Switch(), Switch(), Chime(), Light()
        self.door_is_open: bool | None = False if wired else None
        self.box_is_open: bool | None = False if wired else None
        self.rung = 0

    def ring(self) -> None:
        """Ring the chime."""
        self.rung += 1
        assert self.chime.on_change is not None
        self.chime.on_change(True)
        self.chime.on_change(False)


class Lock:
    """The door's relay, which rests or is broken where a test says so."""

    def __init__(self) -> None:
        self.opened = 0
        self.rests = self.broken = False

    def open(self) -> bool:
        """Open it."""
        if self.broken:
            raise PanelError("The relay does not answer.")
        self.opened += not self.rests
        return not self.rests


class AroundTheDoor:
    """An entrance, its pins, its opener and its journal."""

    def __init__(self, state_dir: Path, *, pins: Pins | None = None, **door: Any) -> None:
        self.now = 1000.0
        self.pins = pins or Pins()
        self.lock = Lock()
        self.quiet = False
        self.facts: list[Fact] = []
        self.journal = Journal(_raise, clock=self.clock)
        self.journal.subscribe(lambda entry: self.facts.append(entry.fact))
        self.faults = Faults(self.journal.tell, clock=self.clock, now=lambda: datetime(2026, 11, 29, tzinfo=UTC))
        config = DoorConfig(**door)
        self.opener = DoorOpener(
            config,
            lock=self.lock,
            tell=self.journal.tell,
            tampered=lambda: self.entrance.blocks_keys,
            clock=self.clock,
        )
        self.entrance = Entrance(
            config,
            state_dir,
            self.pins,
            self.opener,
            self.faults,
            tell=self.journal.tell,
            clock=self.clock,
        )
        self.journal.subscribe(self.entrance.hear)
        self.entrance.start(lambda work, *arguments: work(*arguments), silent=lambda: self.quiet)
        self.facts.clear()

    def clock(self) -> float:
        """Return the time."""
        return self.now

    def passes(self, seconds: float) -> None:
        """Let time pass, and look."""
        self.now += seconds
        self.entrance.look()

    def door(self, *, is_open: bool) -> None:
        """Open or close the door for good."""
        self.pins.door_is_open = is_open
        self._settle()

    def box(self, *, is_open: bool) -> None:
        """Open or close the box for good."""
        self.pins.box_is_open = is_open
        self._settle()

    def relay(self, *, is_on: bool) -> None:
        """Turn the door's relay on or off."""
        self.journal.tell(LockChanged(is_on))

    def told(self, *kinds: type[Fact]) -> list[Fact]:
        """Return the facts of these kinds until now."""
        return [fact for fact in self.facts if isinstance(fact, kinds)]

    def _settle(self) -> None:
        self.entrance.look()
        self.passes(SETTLE_S)


def entry(fact: Fact, moment: float = 0.0) -> Entry:
    """Return an entry of a journal."""
    return Entry(1, datetime(2026, 11, 29, tzinfo=UTC), moment, fact)


def _raise(error: Exception) -> None:
    raise error
