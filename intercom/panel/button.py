"""The bell button: which of its edges are a press, a hold, a release."""

import enum
from dataclasses import dataclass


class ButtonEvent(enum.Enum):
    """What a visitor did with the button."""

    PRESSED = "pressed"
    HELD = "held"
    RELEASED = "released"


@dataclass(slots=True)
class Button:
    """Turn edges and time into presses; pure, so that `now` (seconds, any steady clock) is a parameter.

    A press is reported as soon as the level has held for `settle_s`: an interference spike is shorter, and a
    contact's first bounce is over by then. What bounces afterwards falls into the lock-out, which runs from the
    press and again from the release. A button that is down at the start counts as stuck until it is released.
    """

    settle_s: float
    lockout_s: float
    hold_s: float
    level: bool = False
    """The level as last seen; True = the contact is closed."""
    is_down: bool = False
    """The settled state: pressed and not yet released."""
    is_stuck: bool = False
    """Down since the start, so never pressed."""
    _level_since: float = 0.0
    _locked_until: float = float("-inf")
    _hold_at: float | None = None

    @classmethod
    def starting(cls, *, settle_s: float, lockout_s: float, hold_s: float, level: bool, now: float) -> "Button":
        """Return a button whose level at the start is `level`."""
        return cls(settle_s, lockout_s, hold_s, level=level, is_down=level, is_stuck=level, _level_since=now)

    def edge(self, level: bool, now: float) -> list[ButtonEvent]:
        """Take an edge and return what had become certain before it."""
        events = self.advance(now)
        if level != self.level:
            self.level = level
            self._level_since = now
        return events

    def sample(self, level: bool, now: float) -> list[ButtonEvent]:
        """Take a reading at a deadline: a level that is not the one last seen starts over, its edge is on the way."""
        if level == self.level:
            return self.advance(now)
        self.level = level
        self._level_since = now
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
        """When `advance` has something to do next, without further edges; None = never."""
        times = [time for time in (self._change_due_at(), self._hold_due_at()) if time is not None]
        return min(times, default=None)

    def _change_due_at(self) -> float | None:
        if self.level == self.is_down:
            return None
        settled = self._level_since + self.settle_s
        return max(settled, self._locked_until) if self.level else settled

    def _hold_due_at(self) -> float | None:
        # A contact that opened before the time was up is about to be a release; one that opened after it was held,
        # even when the reader comes late.
        if self._hold_at is not None and (self.level or self._level_since >= self._hold_at):
            return self._hold_at
        return None

    def _change(self, now: float) -> list[ButtonEvent]:
        self.is_down = self.level
        self._locked_until = now + self.lockout_s
        self._hold_at = now + self.hold_s if self.is_down else None
        if self.is_down:
            return [ButtonEvent.PRESSED]
        was_stuck, self.is_stuck = self.is_stuck, False
        return [] if was_stuck else [ButtonEvent.RELEASED]
