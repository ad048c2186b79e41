"""A device that is away: its clock goes on, and the far end hears that something is missing."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE, level_db
from intercom.media.sound.stand_in import NOTICE_EVERY_S, Murmur, Pace
from tests.alsa import tone


def test_as_many_blocks_are_due_as_time_went_by() -> None:
    pace = Pace()
    moved = [pace.due(now / 1000) for now in range(5000, 6000, 7)]
    assert 98 <= sum(moved) <= 101
    assert max(moved) == 1


def test_a_look_that_is_a_little_late_gets_the_blocks_with_their_own_times_and_one_that_is_not_gets_now() -> None:
    pace = Pace()
    assert pace.times(5.0) == [5.0]
    assert pace.times(5.035) == pytest.approx([5.01, 5.02, 5.03])
    assert pace.times(9.0) == [9.0]


def test_a_long_sleep_is_not_made_up_for() -> None:
    pace = Pace()
    pace.due(1.0)
    assert pace.due(50.0) == 1
    assert 0 < pace.wait_s(50.0) <= 0.01


def blocks(murmur: Murmur, seconds: float) -> list[float]:
    return [level_db(murmur.next_block()) for _ in range(int(seconds * 100))]


def test_the_notice_comes_first_then_a_murmur_and_then_the_notice_again() -> None:
    murmur = Murmur(tone(500, 0.3))
    levels = blocks(murmur, NOTICE_EVERY_S + 0.1)
    assert min(levels[:30]) > -20
    assert all(-66 < level < -58 for level in levels[31 : int(NOTICE_EVERY_S * 100)])
    assert levels[-1] > -20


def test_each_loss_begins_with_the_notice() -> None:
    murmur = Murmur(tone(500, 0.3))
    blocks(murmur, 1.0)
    murmur.begin()
    assert blocks(murmur, 0.01)[0] > -20


def test_a_door_that_hears_and_cannot_be_heard_gives_notice_over_its_own_sound() -> None:
    murmur = Murmur(tone(500, 0.05))
    assert level_db(murmur.over(SILENCE)) > -20
    for _ in range(10):
        murmur.over(SILENCE)
    said = np.arange(BLOCK_SAMPLES, dtype=np.int16)
    assert np.array_equal(murmur.over(said), said)
