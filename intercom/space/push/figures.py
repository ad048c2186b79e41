"""Counts what became of pushes."""

from __future__ import annotations

from collections import Counter
from typing import get_args

from intercom.space.push.sender import Fate, Outcome


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

    def text(self) -> str:
        """Return the figures as Prometheus reads them (text format 0.0.4)."""
        lines = [
            *_head("intercom_push_total", "counter", "Pushes, by what became of them."),
            *(f'intercom_push_total{{fate="{fate}"}} {self.fates[fate]}' for fate in get_args(Fate)),
            *_head("intercom_push_attempts_total", "counter", "Attempts at the push services."),
            f"intercom_push_attempts_total {self.attempts}",
            *_head("intercom_push_dropped_total", "counter", "Pushes not sent, as too many were under way."),
            f"intercom_push_dropped_total {self.dropped}",
            *_head("intercom_push_shown_seconds", "summary", "From sending to the device's receipt."),
            f"intercom_push_shown_seconds_sum {self.shown_s:.6g}",
            f"intercom_push_shown_seconds_count {self.shown}",
        ]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, help_: str) -> list[str]:
    return [f"# HELP {name} {help_}", f"# TYPE {name} {kind}"]
