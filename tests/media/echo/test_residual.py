"""What a canceller lets through is turned down to the door's background, and a visitor not at all."""

from __future__ import annotations

import numpy as np
import pytest

from intercom.media.echo.residual import ResidualSuppressor
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.sound.format import level_db, ratio

ECHO_ONLY_DB = -25.0
BACKGROUND_DB = -60.0


@pytest.fixture
def suppressor() -> ResidualSuppressor:
    return ResidualSuppressor()


def noise(at_db: float, seed: int = 1) -> Frame:
    wave = np.random.default_rng(seed).standard_normal(CANCELLER_SAMPLES) * ratio(at_db) * 32767
    return wave.astype(np.int16)


def held(suppressor: ResidualSuppressor, frame: Frame, left_db: float | None) -> float:
    return level_db(suppressor.suppress(frame, [(level_db(frame), left_db)]))


def hear_the_background(suppressor: ResidualSuppressor) -> list[float]:
    return [held(suppressor, noise(BACKGROUND_DB, seed), ECHO_ONLY_DB) for seed in range(50)]


def test_what_is_left_of_the_echo_is_turned_down_to_the_background(suppressor: ResidualSuppressor) -> None:
    hear_the_background(suppressor)
    levels = [held(suppressor, noise(-35, seed), ECHO_ONLY_DB) for seed in range(20)]
    assert max(levels[2:]) < BACKGROUND_DB + 4
    assert min(levels) > BACKGROUND_DB - 4


def test_the_background_itself_goes_on_as_it_is(suppressor: ResidualSuppressor) -> None:
    assert np.mean(hear_the_background(suppressor)[10:]) == pytest.approx(BACKGROUND_DB, abs=1)


def test_a_visitor_is_let_through_with_the_next_block(suppressor: ResidualSuppressor) -> None:
    hear_the_background(suppressor)
    held(suppressor, noise(-35), ECHO_ONLY_DB)
    held(suppressor, noise(-35), None)
    assert held(suppressor, noise(-35), None) == level_db(noise(-35))


def test_the_less_certain_it_is_that_nobody_speaks_the_less_is_taken_away(suppressor: ResidualSuppressor) -> None:
    hear_the_background(suppressor)
    levels = []
    for left_db in (-8.0, -9.0, -10.0, -20.0):
        held(suppressor, noise(-35), left_db)
        levels.append(held(suppressor, noise(-35), left_db))
    assert levels == sorted(levels, reverse=True)
    assert levels[0] - levels[1] == pytest.approx(6, abs=0.5)


def test_rain_that_begins_is_background_within_ten_seconds(suppressor: ResidualSuppressor) -> None:
    hear_the_background(suppressor)
    levels = [held(suppressor, noise(-40, seed), ECHO_ONLY_DB) for seed in range(1000)]
    assert np.mean(levels[-100:]) == pytest.approx(-40, abs=1)


def test_after_a_rest_the_background_is_listened_for_anew(suppressor: ResidualSuppressor) -> None:
    hear_the_background(suppressor)
    suppressor.rest()
    assert held(suppressor, noise(-40), ECHO_ONLY_DB) == pytest.approx(-40, abs=1)


def test_two_blocks_at_once_are_turned_down_as_one_after_the_other() -> None:
    one, other = ResidualSuppressor(), ResidualSuppressor()
    hear_the_background(one)
    hear_the_background(other)
    blocks, left = [noise(-35, seed) for seed in range(2)], [ECHO_ONLY_DB, ECHO_ONLY_DB + 10]
    levels = [(level_db(block), left_db) for block, left_db in zip(blocks, left, strict=True)]
    apart = [one.suppress(block, [level]) for block, level in zip(blocks, levels, strict=True)]
    assert np.array_equal(other.suppress(np.concatenate(blocks), levels), np.concatenate(apart))
