"""The one form that every bench reports in: a table for people, then one JSON object on the last line."""

from __future__ import annotations

import json
import math
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bench.curve import Curve, tables
from bench.plot import Plot

MORE_IS_BETTER = ("_db", "_stoi", "_score")
"""Endings of the figures that a target is the least of; for all others it is the most."""
IMAGES = "images/bench"
"""Where the pictures are, from the documentation's folder."""


class CannotRunError(Exception):
    """This machine lacks what a bench needs; the text says what, and what to do."""


@dataclass(frozen=True)
class Report:
    """What one bench measured."""

    bench: str
    """Its name on the command line."""
    figures: Mapping[str, float]
    """What we measured of ourselves; the unit is in the name."""
    targets: Mapping[str, float] = field(default_factory=dict)
    """At most this much (at least, for `MORE_IS_BETTER`), for the figures that have a target."""
    baselines: Mapping[str, float] = field(default_factory=dict)
    """The same, of somebody else's, in the same run: `who_figure`."""
    machine: str = ""
    """What it was measured on."""
    notes: Sequence[str] = ()
    """What a reader must know to understand the figures."""
    curves: Sequence[Curve] = ()
    """How costs grow with the size of something."""
    plots: Sequence[Plot] = ()
    """What is seen better than read; drawn in the documentation, and no part of the JSON."""

    def __post_init__(self) -> None:
        """Refuse a target whose figure was left out: nobody would see that it was not measured."""
        if absent := sorted(set(self.targets) - set(self.figures)):
            raise ValueError(f"bench {self.bench}: targets without a figure: {', '.join(absent)}")

    def misses(self, name: str) -> bool:
        """Whether a figure misses its target; one that could not be measured (nan) does."""
        target, value = self.targets.get(name), self.figures[name]
        return target is not None and not (value >= target if name.endswith(MORE_IS_BETTER) else value <= target)

    def table(self) -> str:
        """The report for people."""
        rows = [("figure", "measured", "target", "baseline")]
        for name, value in self.figures.items():
            target = self.targets.get(name)
            goal = "" if target is None else _number(target) + " MISSED" * self.misses(name)
            rows.append((name, _number(value), goal, self._beside(name)))
        widths = [max(len(row[column]) for row in rows) for column in range(4)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "  ".join("-" * width for width in widths))
        others = [
            f"{who}: {_number(number)}"
            for who, number in self.baselines.items()
            if not any(who.endswith("_" + name) for name in self.figures)
        ]
        return "\n".join([f"{self.bench} on {self.machine}", "", *lines, *others, *tables(self.curves), *self.notes])

    def _beside(self, name: str) -> str:
        """Everybody else's figure of this name: of all names that fit, the longest is meant."""
        fitting = {
            who: max((f for f in self.figures if who.endswith("_" + f)), key=len, default="") for who in self.baselines
        }
        return ", ".join(
            f"{who.removesuffix('_' + name)} {_number(self.baselines[who])}"
            for who, fits in fitting.items()
            if fits == name
        )

    def json(self) -> str:
        """The report for programs: one line."""
        fields: dict[str, object] = {
            "bench": self.bench,
            "figures": {name: _json_number(value) for name, value in self.figures.items()},
            "targets": dict(self.targets),
            "baselines": {name: _json_number(value) for name, value in self.baselines.items()},
            "machine": self.machine,
        }
        fields |= {"curves": [curve.kept() for curve in self.curves]} if self.curves else {}
        return json.dumps(fields | ({"notes": list(self.notes)} if self.notes else {}))

    def image(self, plot: Plot) -> str:
        """Where a plot's picture is, from the documentation's folder."""
        return f"{IMAGES}/{self.bench}-{plot.name}.svg"

    def markdown(self) -> str:
        """The report for the documentation."""
        lines = [f"## {self.bench}", "", "| figure | measured | target | baseline |", "|---|---|---|---|"]
        for name, value in self.figures.items():
            target = "" if name not in self.targets else _number(self.targets[name])
            bold = "**" * self.misses(name)
            lines.append(f"| `{name}` | {bold}{_number(value)}{bold} | {target} | {self._beside(name)} |")
        lines += tables(self.curves)
        for plot in self.plots:
            lines += ["", f"![{plot.title}]({self.image(plot)})"]
        return "\n".join([*lines, "", *(f"{note}  " for note in self.notes), f"Measured on {self.machine}.", ""])


def _json_number(value: float) -> float | None:
    """JSON has no nan: what could not be measured is null."""
    return None if math.isnan(value) else value


def _number(value: float) -> str:
    if math.isnan(value):
        return "not measured"
    return f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of at least one value."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def spread(values: Sequence[float], unit: str = "ms") -> dict[str, float]:
    """Median and 95th percentile of some values, named `p50_…` and `p95_…`."""
    return {
        f"p50_{unit}": round(statistics.median(values), 2),
        f"p95_{unit}": round(percentile(values, 95), 2),
    }


def machine() -> str:
    """This machine in one line."""
    model = platform.processor() or platform.machine()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith(("model name", "Model")):
                model = line.partition(":")[2].strip()
                break
        cores = len([line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("processor")])
    except OSError:
        cores = 0
    when = datetime.now(UTC).date().isoformat()
    return f"{model}, {cores} cores, {platform.machine()}, Python {platform.python_version()}, {when}"
