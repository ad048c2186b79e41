"""Turns the bell button's edges into presses, holds and releases."""

import enum
from dataclasses import dataclass, field

import msgspec

COIL_S = 0.2
"""Time after an edge of the door's relay in which the strike's coil may pull the button's line low."""

COIL_SETTLE_S = 0.05
"""Settling time within that window: coils were seen to pull for up to 30 ms, and nobody presses for less than 80."""

BOUNCE_S = 0.02
"""Longest pause between the bounces of one contact; short pulses that a press follows sooner belong to it."""

EDGE_LATE_S = 0.5
"""Time to wait for an edge that a reading has shown before its report: on a busy machine one was 200 ms late."""


class ButtonEvent(enum.Enum):
    """A visitor's action on the button."""

    PRESSED = "pressed"
    HELD = "held"
    RELEASED = "released"


class ShortPulses(msgspec.Struct, frozen=True):
    """Counts the pulses too short to be a press: interference, or a bad contact."""

    count: int = 0
    last_at: float = float("-inf")
    """End of the last short pulse, on the button's clock."""
    last_s: float = 0.0
    """Length of the last short pulse."""


@dataclass(slots=True)
class Button:
    """Turns edges and time into presses; pure, so that `now` (seconds, any steady clock) is a parameter.

    An edge counts from the time at which it happened: both edges of a short press may be reported late, and together.

    A press is reported as soon as the level has held for `settle_s`: an interference spike is shorter, and a
    contact's first bounce is over by then. What bounces afterwards falls into the lock-out, which runs from the
    press and again from the release. A button that is down at the start counts as stuck until it is released.
    Shortly after an edge of the door's relay the level has to hold for longer (`relay_moves`).
    """

    settle_s: float
    lockout_s: float
    hold_s: float
    level: bool = False
    """The level as last seen; True = the contact is closed."""
    is_down: bool = False
    """The settled state: pressed and not yet released."""
    is_stuck: bool = False
    """Whether the button has been down since the start, which is no press."""
    short_pulses: ShortPulses = field(default_factory=ShortPulses)
    """Short pulses that were neither a press nor a bounce of one."""
    _before_bounces: ShortPulses = field(default_factory=ShortPulses)
    _level_since: float = 0.0
    _locked_until: float = float("-inf")
    _hold_at: float | None = None
    _coil_until: float = float("-inf")
    _edge_due: float | None = None
    "Time at which the wait for an edge that a reading has shown ends."

    @classmethod
    def starting(cls, *, settle_s: float, lockout_s: float, hold_s: float, level: bool, now: float) -> "Button":
        """Return a button whose level at the start is `level`."""
        return cls(settle_s, lockout_s, hold_s, level=level, is_down=level, is_stuck=level, _level_since=now)

    def edge(self, level: bool, now: float) -> list[ButtonEvent]:
        """Take an edge of this time and return the events that became certain before it."""
        self._edge_due = None
        events = self.advance(now)
        if level != self.level:
            self._turn(level, now)
        return events

    def relay_moves(self, now: float) -> None:
        """Note that the door's relay is about to go on or off."""
        self._coil_until = now + COIL_S

    def sample(self, level: bool, now: float) -> list[ButtonEvent]:
        """Take a reading; one that differs from the last level waits for its edge, which tells the time.

        Without that edge the level starts over.
        """
        if level == self.level:
            self._edge_due = None
            return self.advance(now)
        if self._edge_due is None:
            self._edge_due = now + EDGE_LATE_S
        elif now >= self._edge_due:
            self._edge_due = None
            self._turn(level, now)
        return []

    def advance(self, now: float) -> list[ButtonEvent]:
        """Return the events that are due by `now`, oldest first."""
        events: list[ButtonEvent] = []
        hold_due = self._hold_due_at()
        if hold_due is not None and now >= hold_due:
            self._hold_at = None
            events.append(ButtonEvent.HELD)
        change_due = self._change_due_at()
        if change_due is not None and now >= change_due:
            events += self._change(now)
        return events

    @property
    def deadline(self) -> float | None:
        """Return the time at which `advance` has work next, without further edges; None = never."""
        if self._edge_due is not None:
            return self._edge_due
        times = [time for time in (self._change_due_at(), self._hold_due_at()) if time is not None]
        return min(times, default=None)

    def _change_due_at(self) -> float | None:
        if self.level == self.is_down:
            return None
        settled = self._level_since + self.settle_s
        if not self.level:
            return settled
        if self._level_since <= self._coil_until:
            settled = self._level_since + max(self.settle_s, COIL_SETTLE_S)
        return max(settled, self._locked_until)

    def _hold_due_at(self) -> float | None:
        # A contact that opened before the time was up is about to be a release; one that opened after it was held,
        # even when the reader comes late.
        if self._hold_at is not None and (self.level or self._level_since >= self._hold_at):
            return self._hold_at
        return None

    def _turn(self, level: bool, now: float) -> None:
        was_short = self.level and not self.is_down and now >= self._locked_until
        if was_short:
            if now - self.short_pulses.last_at > BOUNCE_S:
                self._before_bounces = self.short_pulses
            self.short_pulses = ShortPulses(self.short_pulses.count + 1, now, now - self._level_since)
        self.level = level
        self._level_since = now

    def _change(self, now: float) -> list[ButtonEvent]:
        self.is_down = self.level
        self._locked_until = now + self.lockout_s
        self._hold_at = now + self.hold_s if self.is_down else None
        if self.is_down:
            if self._level_since - self.short_pulses.last_at <= BOUNCE_S:
                self.short_pulses = self._before_bounces
            return [ButtonEvent.PRESSED]
        was_stuck, self.is_stuck = self.is_stuck, False
        return [] if was_stuck else [ButtonEvent.RELEASED]
