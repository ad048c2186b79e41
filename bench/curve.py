"""How a cost grows with the size of something: each point beside its neighbour, so that one sees what bends upwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

LINEAR = 1.25
"""Growth over that of the size from which on a cost counts as worse than linear: counts of memory and time waver."""


@dataclass(frozen=True)
class Curve:
    """One cost at several sizes."""

    over: str
    """What grows: subscribers, doors."""
    cost: str
    """What is measured; the unit is in the name."""
    sizes: Sequence[float]
    """The sizes, rising."""
    values: Sequence[float] = field(default_factory=list)
    """The cost at each."""

    def ratio(self, at: int) -> float:
        """Return the cost at a point over that at the point before it; nan where there is none, or one of nothing."""
        before = self.values[at - 1] if at > 0 and self.sizes[at - 1] > 0 else 0.0
        return self.values[at] / before if before > 0 else math.nan

    def is_worse_than_linear(self, at: int) -> bool:
        """Return whether the cost grows faster than the size from the point before."""
        return at > 0 and self.sizes[at - 1] > 0 and self.ratio(at) > self.sizes[at] / self.sizes[at - 1] * LINEAR

    def kept(self) -> dict[str, object]:
        """Return the curve as JSON's types."""
        return {
            name: list(value) if isinstance(value, Sequence) and not isinstance(value, str) else value
            for name, value in asdict(self).items()
        }


def tables(curves: Sequence[Curve]) -> list[str]:
    """Return the curves as Markdown: a table for each thing that grows, a row for each cost."""
    lines: list[str] = []
    for over in dict.fromkeys(curve.over for curve in curves):
        mine = [curve for curve in curves if curve.over == over]
        for sizes in dict.fromkeys(tuple(curve.sizes) for curve in mine):
            heads = " | ".join(f"{size:,.0f}" for size in sizes)
            lines += ["", f"| {over} | {heads} |", "|---|" + "---|" * len(sizes)]
            lines += [_row(curve) for curve in mine if tuple(curve.sizes) == sizes]
    return lines


def _row(curve: Curve) -> str:
    return f"| `{curve.cost}` | " + " | ".join(_cell(curve, at) for at in range(len(curve.sizes))) + " |"


def _cell(curve: Curve, at: int) -> str:
    value, ratio = _number(curve.values[at]), curve.ratio(at)
    text = value if math.isnan(ratio) else f"{value} (x {ratio:.2g})"
    return f"**{text}**" if curve.is_worse_than_linear(at) else text


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:,.0f}"
