"""The figures counted from the journal's facts: calls, openings, faults, and how soon and how well calls went."""

from __future__ import annotations

import bisect
import itertools
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from intercom.facts import (
    CallBegan,
    ChimeRang,
    DoorMoved,
    DoorOpened,
    DoorRefused,
    Ended,
    ExitPressed,
    FaultBegan,
    FaultCleared,
    Pressed,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.history.sound_quality import heard
from intercom.media.rtp.call_stats import CallStats

PRESS_TO_RING_S = (0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the press-to-ring histogram around its target, 0.15 s; a press above 10 s was redialled after an outage."""
SCORES = (1.0, 2.0, 3.0, 3.5, 4.0, 4.5)
"""Bounds of the score histogram, at which the quality has another name."""


class Tally:
    """Counts values by size, as a Prometheus histogram does."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        "sum of all values"
        self._counts = [0] * (len(bounds) + 1)

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self._counts)

    def add(self, value: float) -> None:
        """Count one value."""
        self.total += value
        self._counts[bisect.bisect_left(self.bounds, value)] += 1

    def cumulative(self) -> list[int]:
        """Return how many values are at most each bound; at the end, all."""
        return list(itertools.accumulate(self._counts))


class Figures:
    """Counts what the journal tells since the start. `stats` finds a call's media by its id."""

    def __init__(self, *, stats: Callable[[str], CallStats | None]) -> None:
        self._stats = stats
        self.calls_by_outcome: Counter[tuple[str, str]] = Counter()
        "number of calls, by direction and outcome"
        self.doors_opened = 0
        self.doors_refused: Counter[str] = Counter()
        "number of refusals, by ruling"
        self.door_moves: Counter[str] = Counter()
        "how often the door's contact told of each state"
        self.exits = 0
        "how often the exit button was pressed"
        self.chimes = 0
        "how often the chime rang"
        self.faults_begun: Counter[str] = Counter()
        "number of faults, by kind"
        self.faults_cleared: Counter[str] = Counter()
        "number of faults that are over, by kind"
        self.fault_s: defaultdict[str, float] = defaultdict(float)
        "seconds that faults lasted which are over, by kind"
        self.press_to_ring = Tally(PRESS_TO_RING_S)
        "seconds from the press to the ringing"
        self.scores = Tally(SCORES)
        "mean opinion scores of the calls' sound"
        self._pressed: float | None = None

    def take(self, entry: Entry) -> None:
        """Count a fact."""
        match entry.fact:
            case Pressed():
                self._pressed = entry.moment
            case CallBegan(call):
                if call.direction == "outbound" and self._pressed is not None:
                    self.press_to_ring.add(entry.moment - self._pressed)
                self._pressed = None
            case Ended() as ended:
                self._ended(ended)
            case Unreached() as press:
                self.calls_by_outcome["outbound", press.outcome] += 1
            case DoorOpened():
                self.doors_opened += 1
            case DoorRefused(ruling):
                self.doors_refused[ruling] += 1
            case DoorMoved(state):
                self.door_moves[state] += 1
            case ExitPressed():
                self.exits += 1
            case ChimeRang():
                self.chimes += 1
            case FaultBegan(kind):
                self.faults_begun[kind] += 1
            case FaultCleared(kind, lasted_s):
                self.faults_cleared[kind] += 1
                self.fault_s[kind] += lasted_s

    def _ended(self, ended: Ended) -> None:
        self.calls_by_outcome[ended.call.direction, ended.outcome] += 1
        quality = heard(self._stats(ended.call.id)) if ended.answered else None
        if quality is not None:
            self.scores.add(quality[0])
