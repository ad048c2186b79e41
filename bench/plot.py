"""What a bench draws: lines over an axis, as a small SVG that looks right on a light page and on a dark one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float | None]]
"""x and y in the axes' units, x rising; None where there was nothing to measure: the line breaks there."""

MOST_POINTS = 600
"""Of one line: more than this is finer than the picture."""
WIDTH, HEIGHT = 760, 260
LEFT, RIGHT, TOP, BOTTOM = 52, 16, 48, 34
"""Around the area of the lines, for title, legend and numbers."""
BAND_NAMES = 20
"""Above the lines, for the names of the shaded stretches."""
CHARACTER = 6.4
"""Width of one at 11.5 px, on average; a legend needs no more exactness."""

STYLE = """
.page{fill:#fff}.text{fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}.band{fill:#818b98;fill-opacity:.13}
.target{stroke:#59636e;stroke-dasharray:5 4}.c0{stroke:#0969da}.c1{stroke:#bc4c00}.c2{stroke:#1a7f37}.c3{stroke:#8250df}
.c4{stroke:#9a6700}.c5{stroke:#bf3989}
@media (prefers-color-scheme:dark){.page{fill:#0d1117}.text{fill:#f0f6fc}.dim{fill:#9198a1}.grid{stroke:#3d444d}
.target{stroke:#9198a1}.c0{stroke:#4493f8}.c1{stroke:#f0883e}.c2{stroke:#3fb950}.c3{stroke:#ab7df8}.c4{stroke:#d29922}
.c5{stroke:#db61a2}}
text{font:11.5px system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif}
.title{font-size:13px;font-weight:600}.line{fill:none;stroke-width:1.6;stroke-linejoin:round}.key{stroke-width:3}
"""
COLOURS = 6


@dataclass(frozen=True)
class Plot:
    """One picture of a report."""

    name: str
    """Part of its file's name: lower case and hyphens."""
    title: str
    """What it shows."""
    x: str
    """The horizontal axis, with its unit: `time, s`."""
    y: str
    """The vertical axis, with its unit: `delay, ms`. It begins at 0 unless something is below."""
    lines: Mapping[str, Points]
    """By their names in the legend."""
    target: float | None = None
    """Drawn as a dashed line."""
    bands: Sequence[tuple[float, float, str]] = field(default_factory=tuple)
    """Stretches of x that are shaded: from, to, what happened there."""

    def kept(self) -> dict[str, object]:
        """The plot as JSON's types, each line thinned and rounded to what can be seen."""
        return {
            "name": self.name,
            "title": self.title,
            "x": self.x,
            "y": self.y,
            "lines": {name: [[_round(x), _round(y)] for x, y in thinned(line)] for name, line in self.lines.items()},
            "target": self.target,
            "bands": [list(band) for band in self.bands],
        }

    def svg(self) -> str:
        """The picture."""
        return _Picture(self).drawn()


def _round(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(f"{value:.5g}")


def thinned(points: Points) -> Points:
    """At most `MOST_POINTS` of them, the least and the greatest of every stretch among them: no peak is lost."""
    if len(points) <= MOST_POINTS:
        return points
    stretch = math.ceil(2 * len(points) / MOST_POINTS)
    kept: list[tuple[float, float | None]] = []
    for begin in range(0, len(points), stretch):
        some = points[begin : begin + stretch]
        real = [at for at, (_, y) in enumerate(some) if y is not None]
        if not real:
            kept.append(some[0])
            continue
        ends = {min(real, key=lambda at: some[at][1] or 0.0), max(real, key=lambda at: some[at][1] or 0.0)}
        kept.extend(some[at] for at in sorted(ends))
    return kept


def ticks(low: float, high: float, about: int) -> list[float]:
    """Round numbers that cover `low` to `high`."""
    rough = max(high - low, 1e-9) / about
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * nice for nice in (1, 2, 5, 10) if power * nice >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 9) for n in range(first, last + 1)]


class _Picture:
    """The plot laid out on `WIDTH` by `HEIGHT` units."""

    def __init__(self, plot: Plot) -> None:
        self._plot = plot
        xs = [x for line in plot.lines.values() for x, _ in line] or [0.0, 1.0]
        xs += [edge for begin, end, _ in plot.bands for edge in (begin, end)]
        ys = [y for line in plot.lines.values() for _, y in line if y is not None] or [0.0, 1.0]
        ys += [plot.target] if plot.target is not None else []
        self._x_ticks = [tick for tick in ticks(min(xs), max(xs), 8) if min(xs) <= tick <= max(xs)]
        self._y_ticks = ticks(min(0.0, *ys), max(*ys, 1e-9), 4)
        self._low_x, self._high_x = min(xs), max(*xs, min(xs) + 1e-9)
        self._low_y, self._high_y = self._y_ticks[0], self._y_ticks[-1]
        self._top = TOP + (BAND_NAMES if plot.bands else 0)
        self._parts: list[str] = []

    def _at_x(self, x: float) -> float:
        return LEFT + (x - self._low_x) / (self._high_x - self._low_x) * (WIDTH - LEFT - RIGHT)

    def _at_y(self, y: float) -> float:
        return HEIGHT - BOTTOM - (y - self._low_y) / (self._high_y - self._low_y) * (HEIGHT - self._top - BOTTOM)

    def _text(self, x: float, y: float, text: str, kind: str, anchor: str = "start") -> None:
        self._parts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>')

    def _stroke(self, kind: str, x1: float, y1: float, x2: float, y2: float) -> None:
        self._parts.append(f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>')

    def drawn(self) -> str:
        self._draw_bands()
        self._draw_axes()
        for number, points in enumerate(self._plot.lines.values()):
            self._parts.append(f'<path class="line c{number % COLOURS}" d="{self._path(points)}"/>')
        self._draw_legend()
        title = escape(self._plot.title)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
            f'role="img"><title>{title}</title><style>{STYLE}</style>\n'
            f'<rect class="page" width="{WIDTH}" height="{HEIGHT}" rx="6"/>\n' + "\n".join(self._parts) + "\n</svg>\n"
        )

    def _draw_bands(self) -> None:
        for begin, end, name in self._plot.bands:
            left, right = self._at_x(begin), self._at_x(end)
            size = f'x="{left:.1f}" y="{TOP}" width="{right - left:.1f}" height="{HEIGHT - TOP - BOTTOM}"'
            self._parts.append(f'<rect class="band" {size}/>')
            self._text((left + right) / 2, TOP + 13, name, "dim", "middle")

    def _draw_axes(self) -> None:
        for tick in self._y_ticks:
            self._stroke("grid", LEFT, self._at_y(tick), WIDTH - RIGHT, self._at_y(tick))
            self._text(LEFT - 6, self._at_y(tick) + 4, f"{tick:g}", "dim", "end")
        for tick in self._x_ticks:
            self._text(self._at_x(tick), HEIGHT - BOTTOM + 15, f"{tick:g}", "dim", "middle")
        if self._plot.target is not None:
            self._stroke("target", LEFT, self._at_y(self._plot.target), WIDTH - RIGHT, self._at_y(self._plot.target))
        self._text(LEFT - 40, TOP - 12, self._plot.y, "dim")
        self._text(WIDTH - RIGHT, HEIGHT - 5, self._plot.x, "dim", "end")
        self._text(LEFT - 40, 18, self._plot.title, "text title")

    def _draw_legend(self) -> None:
        keys = [(name, f"c{number % COLOURS}") for number, name in enumerate(self._plot.lines)]
        keys += [("target", "target")] if self._plot.target is not None else []
        right = float(WIDTH - RIGHT)
        for name, kind in reversed(keys):
            self._text(right, TOP - 12, name, "text", "end")
            right -= len(name) * CHARACTER + 6
            self._stroke(f"key {kind}", right - 16, TOP - 16, right, TOP - 16)
            right -= 32

    def _path(self, points: Points) -> str:
        steps: list[str] = []
        joined = False
        for x, y in thinned(points):
            if y is not None:
                steps.append(f"{'L' if joined else 'M'}{self._at_x(x):.1f} {self._at_y(y):.1f}")
            joined = y is not None
        return "".join(steps)
