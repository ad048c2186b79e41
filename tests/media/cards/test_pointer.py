"""A card's place is known where it tells it as it moves, and not where it tells it in steps."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.cards.pointer import LOOKS, PROBE_S, Pointer
from intercom.media.sound.format import RATE_HZ

WAKING_S = 0.0001
STEPS = [240, 288, 480, 512, 1024, 2048]
"""Of USB cards, of a period, and of sound servers."""


def looked(pointer: Pointer, times: Iterable[float], step: int = 1) -> Pointer:
    for now in times:
        pointer.looked(int(now * RATE_HZ) // step * step, now)
    return pointer


def probes(begin: float, count: int) -> list[float]:
    return [begin + n * (PROBE_S + WAKING_S) for n in range(count)]


def test_a_card_that_tells_its_place_as_it_moves_is_known_within_a_tenth_of_a_second() -> None:
    pointer = looked(Pointer(), probes(0.0, 30))
    assert pointer.is_fine
    assert not pointer.is_sought


@given(st.sampled_from(STEPS), st.integers(0, 2**32), st.floats(0.002, 0.0125))
def test_a_card_that_tells_it_in_steps_is_never_known_whenever_it_is_asked(
    step: int, seed: int, longest_s: float
) -> None:
    pointer, now, chance = Pointer(), 0.0, Random(seed)
    for _ in range(2 * LOOKS):
        now += chance.uniform(0.0005, longest_s)
        assert not looked(pointer, [now], step).is_fine
    assert not pointer.is_sought, "it is not asked more often for ever"


def test_a_card_with_steps_of_a_block_is_not_known_by_looks_a_block_apart() -> None:
    assert not looked(Pointer(), [n * 0.010 for n in range(LOOKS + 1)], 480).is_fine


def test_a_busy_machine_that_looks_late_now_and_then_learns_it_a_little_later() -> None:
    pointer, now = Pointer(), 0.0
    for n in range(LOOKS):
        now += PROBE_S + (0.004 if n % 20 == 10 else WAKING_S)
        looked(pointer, [now])
    assert pointer.is_fine


@pytest.mark.parametrize("step", STEPS)
def test_a_card_that_tells_it_in_steps_from_some_time_on_is_soon_no_longer_known(step: int) -> None:
    pointer = looked(Pointer(), probes(0.0, 30))
    looked(pointer, [0.2 + n * 0.0101 for n in range(100)])
    assert pointer.is_fine
    last = 0.2 + 99 * 0.0101
    looked(pointer, [last + n * 0.0029 for n in range(100)], step)
    assert not pointer.is_fine
    assert not looked(pointer, probes(last + 1.0, 100)).is_fine, "not before the speaker's next start"


def test_a_thread_that_is_late_is_no_reason_to_doubt_the_card() -> None:
    pointer = looked(Pointer(), probes(0.0, 30))
    looked(pointer, [0.2 + n * 0.010 + (0.009 if n % 3 else 0.0) for n in range(300)])
    assert pointer.is_fine
