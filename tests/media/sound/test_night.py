"""The night goes over midnight, or not."""

from __future__ import annotations

from datetime import time

import pytest

from intercom.media.sound.night import night_between


@pytest.mark.parametrize(
    ("now", "night"),
    [("21:59", False), ("22:00", True), ("23:59", True), ("00:00", True), ("06:59", True), ("07:00", False)],
)
def test_a_night_over_midnight(now: str, night: bool) -> None:
    held = night_between("22:00", "07:00")
    assert held is not None
    assert held.holds(time.fromisoformat(now)) is night


def test_a_night_within_a_day() -> None:
    rest = night_between("12:30", "14:00")
    assert rest is not None
    assert [rest.holds(time(hour)) for hour in (12, 13, 14, 0)] == [False, True, False, False]


def test_no_night_is_wanted_or_it_has_no_length() -> None:
    assert night_between("", "07:00") is None
    empty = night_between("07:00", "07:00")
    assert empty is not None
    assert not empty.holds(time(7))
