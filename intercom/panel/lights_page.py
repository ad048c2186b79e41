"""Writes `docs/lights.md` from the table of patterns: `python -m intercom.panel.lights_page > docs/lights.md`."""

import sys

from intercom.panel.lights import frame_at
from intercom.panel.patterns import PATTERNS, Play

STRIP_S = 4.0
"""Length of a strip, that of the longest pattern: every strip shows at least one whole round."""

CELL_S = 0.1
"""Time that one character of a strip stands for."""

CELLS = "·▂▄▆█"
"""Characters for a cell's brightness, dark to full."""


def page() -> str:
    """Return the whole of `docs/lights.md`."""
    lines = [
        "# What the lights say",
        "",
        "Generated from `intercom/panel/patterns.py` by `python -m intercom.panel.lights_page`; a test keeps it true.",
        "",
        "Every state has a colour and a rhythm of its own. The rhythm alone tells it, so a single light",
        '(`light = "single"`) and an eye that takes green for red read it too. Nothing flashes more than three times',
        "in any one second.",
        "",
        "| The light | says | state |",
        "|---|---|---|",
    ]
    lines += [f"| {play.look} | {play.meaning} | {pattern.value} |" for pattern, play in PATTERNS.items()]
    lines += [
        "",
        "## The rhythms",
        "",
        f"The first {STRIP_S:g} seconds; a cell is {CELL_S * 1000:g} ms, `{CELLS[-1]}` is bright, `{CELLS[0]}` dark.",
        "",
        "```",
    ]
    for pattern, play in PATTERNS.items():
        colour = strip(play, single=False)
        lines.append(f"{pattern.value:12} {colour}")
        single = strip(play, single=True)
        if single != colour:
            lines.append(f"{'':12} {single}  (single light)")
    lines.append("```")
    return "\n".join(lines) + "\n"


def strip(play: Play, *, single: bool) -> str:
    """Return the brightness of `play` over time, one character for each CELL_S."""
    frames = (frame_at(play, (cell + 0.5) * CELL_S) for cell in range(round(STRIP_S / CELL_S)))
    levels = (frame.level if single else max(frame.colour) for frame in frames)
    return "".join(CELLS[round(level * (len(CELLS) - 1))] for level in levels)


if __name__ == "__main__":
    sys.stdout.write(page())
