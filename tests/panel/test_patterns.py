"""The table of patterns: complete, told apart by rhythm, safe to look at, documented."""

import itertools
from pathlib import Path

import pytest

from intercom.panel.lights import frame_at
from intercom.panel.lights_page import page
from intercom.panel.patterns import PATTERNS, Pattern, Play

ROOT = Path(__file__).parents[2]


def rhythm(play: Play, *, single: bool) -> list[tuple[bool, float, bool]]:
    """The spans of one round, longest cyclic run first: (lit, seconds, fading)."""
    spans: list[tuple[bool, float, bool]] = []
    for step in play.steps:
        lit = (step.level if single else max(step.colour)) > 0
        if spans and spans[-1][0] == lit and spans[-1][2] == step.fade:
            spans[-1] = (lit, spans[-1][1] + step.seconds, step.fade)
        else:
            spans.append((lit, step.seconds, step.fade))
    if len(spans) > 1 and spans[0][0] == spans[-1][0] and spans[0][2] == spans[-1][2]:
        lit, seconds, fading = spans.pop()
        spans[0] = (lit, spans[0][1] + seconds, fading)
    start = max(range(len(spans)), key=lambda index: spans[index][1])
    return spans[start:] + spans[:start]


def look_alike(one: list[tuple[bool, float, bool]], other: list[tuple[bool, float, bool]]) -> bool:
    """Whether two rhythms have the same shape, and no span that differs in length by half."""
    if [(lit, fading) for lit, _, fading in one] != [(lit, fading) for lit, _, fading in other]:
        return False
    if len(one) == 1:
        return True
    return all(max(a[1], b[1]) / min(a[1], b[1]) < 1.5 for a, b in zip(one, other, strict=True))


def flash_starts(play: Play, *, single: bool) -> list[float]:
    """When the light goes on from dark, in four rounds."""
    starts, now, lit = [], 0.0, False
    for step in play.steps * 4:
        level = step.level if single else max(step.colour)
        if level > 0 and not lit:
            starts.append(now)
        lit = level > 0
        now += step.seconds
    return starts


def test_every_state_has_a_pattern() -> None:
    assert set(PATTERNS) == set(Pattern)


@pytest.mark.parametrize("single", [False, True], ids=["rgb", "single"])
def test_no_two_patterns_share_a_rhythm(single: bool) -> None:
    for (one, play), (other, other_play) in itertools.combinations(PATTERNS.items(), 2):
        assert not look_alike(rhythm(play, single=single), rhythm(other_play, single=single)), (one, other)


@pytest.mark.parametrize("pattern", Pattern)
@pytest.mark.parametrize("single", [False, True], ids=["rgb", "single"])
def test_nothing_flashes_more_than_three_times_a_second(pattern: Pattern, single: bool) -> None:
    starts = flash_starts(PATTERNS[pattern], single=single)
    assert not [a for a, fourth in zip(starts, starts[3:], strict=False) if fourth - a < 1.0]


@pytest.mark.parametrize("single", [False, True], ids=["rgb", "single"])
def test_a_press_changes_the_light_at_once(single: bool) -> None:
    idle, pressed = frame_at(PATTERNS[Pattern.IDLE], 0), frame_at(PATTERNS[Pattern.PRESSED], 0)
    assert (idle.level != pressed.level) if single else (idle.colour != pressed.colour)


def test_the_guide_to_the_lights_is_true() -> None:
    assert (ROOT / "docs" / "lights.md").read_text() == page()
