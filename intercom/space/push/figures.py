"""Counts what became of pushes."""

from __future__ import annotations

from collections import Counter
from typing import Any

from intercom.space.push.sender import Outcome


class PushFigures:
    """The figures since the start."""

    def __init__(self) -> None:
        self.fates: Counter[str] = Counter()
        "Number of pushes, by their fate."
        self.attempts = 0
        "Number of attempts at all services."
        self.dropped = 0
        "Number of pushes that were not sent because too many were under way."
        self.shown = 0
        "Number of receipts."
        self.shown_s = 0.0
        "Sum of the times from sending to the receipt."

    def sent(self, outcome: Outcome) -> None:
        """Count a push."""
        self.fates[outcome.fate] += 1
        self.attempts += outcome.attempts

    def receipt(self, took_s: float) -> None:
        """Count a receipt."""
        self.shown += 1
        self.shown_s += took_s

    def told(self) -> dict[str, Any]:
        """Return the figures by name."""
        fates = {fate.replace(" ", "_"): self.fates[fate] for fate in ("accepted", "gone", "refused", "given up")}
        mean_ms = round(1000 * self.shown_s / self.shown) if self.shown else None
        return {**fates, "attempts": self.attempts, "dropped": self.dropped, "shown": self.shown, "mean_ms": mean_ms}
