"""When it is quiet: daily hours over midnight and over a change of the clock, and the orders that go before them."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from math import nextafter
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.quiet.spells import Order, Quiet, Spell, hushed, next_time, spell_at, woken

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = st.sampled_from(
    [BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Australia/Lord_Howe"), ZoneInfo("Asia/Kolkata")]
)
HOURS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
MOMENTS = st.floats(datetime(2024, 1, 1, tzinfo=UTC).timestamp(), datetime(2034, 1, 1, tzinfo=UTC).timestamp())
NIGHT = Quiet("22:00", "07:00")
NO_HOURS = Quiet()


def at(text: str, zone: tzinfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def until(quiet: Quiet, text: str) -> float | None:
    """The end of the spell that holds then; it has one."""
    spell = spell_at(quiet, at(text), BERLIN)
    assert spell is not None
    return spell.until


@pytest.mark.parametrize(
    ("moment", "end"),
    [
        ("2026-11-28T21:59:59", None),
        ("2026-11-28T22:00", "2026-11-29T07:00"),
        ("2026-11-29T00:00", "2026-11-29T07:00"),
        ("2026-11-29T06:59:59", "2026-11-29T07:00"),
        ("2026-11-29T07:00", None),
    ],
)
def test_hours_over_midnight_are_one_spell(moment: str, end: str | None) -> None:
    spell = spell_at(NIGHT, at(moment), BERLIN)
    assert spell == (None if end is None else Spell(at(end)))


@pytest.mark.parametrize(("moment", "holds"), [("12:59", False), ("13:00", True), ("14:59", True), ("15:00", False)])
def test_hours_by_day_hold_on_their_day(moment: str, holds: bool) -> None:
    found = spell_at(Quiet("13:00", "15:00"), at(f"2026-11-28T{moment}"), BERLIN)
    assert (found is not None) is holds


def test_a_night_in_which_the_clock_is_put_back_is_an_hour_longer() -> None:
    begin, end = at("2026-10-24T22:00"), at("2026-10-25T07:00")
    assert end - begin == 10 * 3600
    assert until(NIGHT, "2026-10-25T02:30") == end


def test_hours_that_end_in_the_hour_that_comes_twice_do_not_begin_again() -> None:
    quiet = Quiet("22:00", "02:30")
    first, second = at("2026-10-25T02:30"), at("2026-10-25T02:30") + 3600
    assert spell_at(quiet, first - 1, BERLIN) == Spell(first)
    for moment in (first, first + 1800, second - 1, second):
        assert spell_at(quiet, moment, BERLIN) is None


def test_hours_that_end_in_the_hour_that_is_left_out_last_as_long_as_ever() -> None:
    quiet = Quiet("22:00", "02:30")
    assert until(quiet, "2026-03-29T01:00") == at("2026-03-28T22:00") + 4.5 * 3600


@pytest.mark.parametrize("quiet", [NO_HOURS, Quiet("07:00", "07:00"), Quiet("22:00", "")])
def test_without_two_different_times_there_are_no_hours(quiet: Quiet) -> None:
    assert spell_at(quiet, at("2026-11-28T23:00"), BERLIN) is None


def test_an_order_without_an_end_holds_until_it_is_taken_back() -> None:
    now = at("2026-11-28T12:00")
    quiet = hushed(NO_HOURS, now, None)
    assert spell_at(quiet, now + 365 * 86_400, BERLIN) == Spell(None)
    assert spell_at(woken(quiet, now + 60, BERLIN), now + 60, BERLIN) is None


def test_an_order_that_ends_in_the_midst_of_the_hours_is_followed_by_them() -> None:
    quiet = hushed(NIGHT, at("2026-11-28T20:00"), at("2026-11-28T23:00"))
    assert until(quiet, "2026-11-28T20:00") == at("2026-11-29T07:00")


def test_an_order_that_ends_later_than_the_hours_holds_on() -> None:
    quiet = hushed(NIGHT, at("2026-11-29T06:00"), at("2026-11-29T11:00"))
    assert until(quiet, "2026-11-29T06:00") == at("2026-11-29T11:00")


def test_an_order_for_a_time_that_is_past_orders_nothing() -> None:
    now = at("2026-11-28T12:00")
    assert hushed(NO_HOURS, now, now).order is None


def test_whoever_lets_it_ring_in_the_midst_of_the_hours_does_so_for_this_night_alone() -> None:
    quiet = woken(NIGHT, at("2026-11-28T23:00"), BERLIN)
    assert spell_at(quiet, at("2026-11-29T06:59"), BERLIN) is None
    assert until(quiet, "2026-11-29T22:00") == at("2026-11-30T07:00")


def test_whoever_lets_it_ring_outside_of_the_hours_leaves_no_order() -> None:
    assert woken(hushed(NIGHT, at("2026-11-28T12:00"), None), at("2026-11-28T13:00"), BERLIN) == NIGHT


@pytest.mark.parametrize(
    ("now", "hour", "then"),
    [
        ("2026-11-28T06:00", "07:00", "2026-11-28T07:00"),
        ("2026-11-28T07:00", "07:00", "2026-11-29T07:00"),
        ("2026-12-31T23:00", "07:00", "2027-01-01T07:00"),
    ],
)
def test_the_next_time_at_which_the_clock_shows_an_hour(now: str, hour: str, then: str) -> None:
    assert next_time(at(now), hour, BERLIN) == at(then)


def test_an_hour_that_comes_twice_is_the_next_one_of_both() -> None:
    first = at("2026-10-25T02:30")
    assert next_time(first - 60, "02:30", BERLIN) == first
    assert next_time(first, "02:30", BERLIN) == first + 3600


@given(MOMENTS, HOURS, ZONES)
def test_the_next_time_is_within_a_day_and_a_bit_and_shows_that_hour_unless_the_clock_leaps(
    now: float, hour: str, zone: tzinfo
) -> None:
    then = next_time(now, hour, zone)
    assert now < then <= now + 26 * 3600
    shown = datetime.fromtimestamp(then, zone)
    leaps = datetime.fromtimestamp(then - 7200, zone).utcoffset() != shown.utcoffset()
    assert shown.strftime("%H:%M") == hour or leaps


@given(MOMENTS, HOURS, HOURS, ZONES)
def test_a_spell_rings_from_its_end_on_and_is_quiet_until_then(
    now: float, begins: str, ends: str, zone: tzinfo
) -> None:
    quiet = Quiet(begins, ends)
    spell = spell_at(quiet, now, zone)
    if spell is None:
        return
    assert spell.until is not None
    assert now < spell.until <= now + 50 * 3600  # where the clock leaps, two nights that touch may be one
    assert spell_at(quiet, spell.until, zone) is None
    middle = min((now + spell.until) / 2, nextafter(spell.until, now))  # of two neighbours the mean is one of them
    assert spell_at(quiet, middle, zone) == spell


@given(MOMENTS, HOURS, HOURS, ZONES)
def test_a_day_has_one_spell_at_most(now: float, begins: str, ends: str, zone: tzinfo) -> None:
    quiet = Quiet(begins, ends)
    spells = [spell_at(quiet, now + minutes * 60, zone) for minutes in range(0, 22 * 60, 10)]
    assert len({spell for spell in spells if spell is not None}) <= 2  # the end of one, and the next one's beginning


@given(MOMENTS, HOURS, HOURS, ZONES, st.none() | st.floats(1, 1e6), st.booleans())
def test_an_order_is_obeyed_at_once(
    now: float, begins: str, ends: str, zone: tzinfo, for_s: float | None, again: bool
) -> None:
    before = Quiet(begins, ends, order=Order(again, now + 100))
    quiet = hushed(before, now, None if for_s is None else now + for_s)
    spell = spell_at(quiet, now, zone)
    assert spell is not None
    assert (spell.until is None) is (for_s is None)
    assert for_s is None or (spell.until or 0) >= now + for_s
    assert spell_at(woken(quiet, now, zone), now, zone) is None
