"""Figures as Prometheus has them: families of samples, each with few labels, and their text.

Format: https://prometheus.io/docs/instrumenting/exposition_formats/ (text, version 0.0.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from intercom.history.figures import Tally

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Media type of the text."""


class Sample(NamedTuple):
    """One line of the text."""

    name: str
    """Name with its suffix."""
    labels: Mapping[str, str]
    """Labels that tell the samples of a figure apart."""
    value: float
    """Value of the sample."""


class Family(NamedTuple):
    """One figure, with a sample for each thing that it counts."""

    name: str
    """Name with its unit."""
    kind: str
    """Kind of figure: gauge, counter or histogram."""
    help: str
    """One-line help."""
    samples: list[Sample]
    """Samples of the figure."""


def one(name: str, kind: str, help_: str, value: float | None) -> Family:
    """Return a figure with one value, and without a sample if the value is None."""
    return Family(name, kind, help_, [] if value is None else [Sample(name, {}, value)])


def each(name: str, kind: str, help_: str, label: str, values: Iterable[tuple[str, float]]) -> Family:
    """Return a figure with one value for each thing."""
    return Family(name, kind, help_, [Sample(name, {label: thing}, value) for thing, value in values])


def histogram(name: str, help_: str, tally: Tally) -> Family:
    """Return a tally as a histogram."""
    buckets = [*(f"{bound:g}" for bound in tally.bounds), "+Inf"]
    samples = [
        Sample(f"{name}_bucket", {"le": bound}, count) for bound, count in zip(buckets, tally.cumulative(), strict=True)
    ]
    samples += [Sample(f"{name}_sum", {}, tally.total), Sample(f"{name}_count", {}, tally.count)]
    return Family(name, "histogram", help_, samples)


def text(families: Iterable[Family]) -> str:
    """Format the families in the text format."""
    lines = []
    for family in families:
        lines += [f"# HELP {family.name} {family.help}", f"# TYPE {family.name} {family.kind}"]
        for sample in family.samples:
            labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
            lines.append(
                f"{sample.name}{{{labels}}} {sample.value:.10g}" if labels else f"{sample.name} {sample.value:.10g}"
            )
    return "\n".join(lines) + "\n"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
