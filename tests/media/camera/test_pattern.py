"""The test pattern: it moves, it shows the time, and it fits every size."""

from datetime import datetime, timedelta

import pytest

from intercom.media.camera.test_pattern import SWEEP_S, TestPattern

NOON = datetime(2026, 6, 1, 12, 0, 0)


@pytest.mark.parametrize(("width", "height"), [(160, 120), (320, 180), (962, 540), (1280, 720), (1920, 1088)])
def test_every_size_shows_seven_bars_above_a_clock(width: int, height: int) -> None:
    frame = TestPattern(width, height).draw(NOON)
    luma = frame.to_ndarray(format="yuv420p")[:height]
    bars = [int(luma[2, width * index // 7 + width // 14]) for index in range(7)]
    assert bars == [180, 162, 131, 112, 84, 65, 35]
    clock = luma[height * 2 // 3 + 1 :]
    assert set(clock.flatten().tolist()) == {16, 235}


def test_the_clock_shows_the_moment() -> None:
    pattern = TestPattern(640, 360)

    def clock(moment: datetime) -> bytes:
        return pattern.draw(moment).to_ndarray(format="yuv420p")[240:360].tobytes()

    assert clock(NOON) == clock(NOON)
    assert clock(NOON) != clock(NOON + timedelta(milliseconds=10))


def test_the_block_crosses_the_picture_and_begins_again() -> None:
    pattern = TestPattern(640, 360)

    def left(seconds: float) -> int:
        row = pattern.draw(NOON + timedelta(seconds=seconds)).to_ndarray(format="yuv420p")[100]
        return int((row == 235).argmax())

    places = [left(SWEEP_S * quarter / 4) for quarter in range(4)]
    assert places == sorted(set(places))
    assert left(SWEEP_S) == places[0]
