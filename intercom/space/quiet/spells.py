"""Works out when it is quiet, from daily hours and an order that goes before them. Pure: time and zone are parameters.

All hours are local time. In a night in which the clock changes, the hours begin and end when the clock first shows
them; a time that the clock leaps over is taken by the clock of before the leap. So one night is one spell, whatever
the clock does, and it never ends and begins again.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

Hour = Annotated[str, Meta(pattern=r"\A(([01][0-9]|2[0-3]):[0-5][0-9])?\Z")]
"""A time of day, such as 22:00, or none."""
_LINKS: Final = 3
"""Limit of spells that follow one another without a gap: an order, and the hours in the midst of which it ends."""


class Order(Struct, frozen=True):
    """What somebody wants for a while, whatever the daily hours say."""

    quiet: bool
    """Whether it is to be quiet; False lets it ring in the midst of the hours."""
    until: float | None = None
    """Time at which the order ends, seconds since 1970; None: when it is taken back."""


class Quiet(Struct, frozen=True):
    """When a device, or the whole house, wants it to be quiet."""

    begins: Hour = ""
    """Local time at which it is quiet every day, such as 22:00; empty: at none."""
    ends: Hour = "07:00"
    """Local time at which it rings again; the same as `begins` means no hours."""
    notify: bool = True
    """Whether a ring is shown all the same, without a sound: on the page and as a notification."""
    order: Order | None = None
    """The order that goes before the hours."""


class Spell(Struct, frozen=True):
    """A time of quiet that holds now."""

    until: float | None
    """Its end, seconds since 1970; None where nobody knows it yet."""


def spell_at(quiet: Quiet, now: float, zone: tzinfo | None = None) -> Spell | None:
    """Return the spell of quiet that holds at `now`, seconds since 1970; None when it rings.

    :param zone: the zone of the hours; None is the machine's.
    """
    at = now
    for _ in range(_LINKS):
        end = _end(quiet, at, zone)
        if end is None:
            return Spell(None)
        if end <= at:
            break
        at = end
    return Spell(at) if at > now else None


def hushed(quiet: Quiet, now: float, until: float | None) -> Quiet:
    """Return `quiet` with the order to be quiet from `now` on; one for the past orders nothing."""
    order = None if until is not None and until <= now else Order(True, until)
    return msgspec.structs.replace(quiet, order=order)


def woken(quiet: Quiet, now: float, zone: tzinfo | None = None) -> Quiet:
    """Return `quiet` with its order taken back; daily hours that hold now are left out this once."""
    end = _end_of_hours(quiet, now, zone)
    return msgspec.structs.replace(quiet, order=Order(False, end) if end > now else None)


def next_time(at: float, hour: str, zone: tzinfo | None = None) -> float:
    """Return the next moment after `at` at which the local clock shows `hour`, seconds since 1970."""
    today = datetime.fromtimestamp(at, zone).date()
    moments = (_moment(today + timedelta(days=days), hour, zone, fold=fold) for days in range(3) for fold in (0, 1))
    return next(moment for moment in moments if moment > at)


def _end(quiet: Quiet, at: float, zone: tzinfo | None) -> float | None:
    """Return when the quiet of `at` ends as far as one reason reaches; `at` where it rings, None for an open end."""
    order = quiet.order
    if order is not None and (order.until is None or at < order.until):
        return order.until if order.quiet else at
    return _end_of_hours(quiet, at, zone)


def _end_of_hours(quiet: Quiet, at: float, zone: tzinfo | None) -> float:
    """Return the end of the daily hours that hold at `at`, or `at` where none do."""
    if not quiet.begins or not quiet.ends:
        return at
    today = datetime.fromtimestamp(at, zone).date()
    for day in (today - timedelta(days=1), today):
        last = day if quiet.begins <= quiet.ends else day + timedelta(days=1)
        begin, end = _moment(day, quiet.begins, zone), _moment(last, quiet.ends, zone)
        if begin <= at < end:
            return end
    return at


def _moment(day: date, hour: str, zone: tzinfo | None, *, fold: int = 0) -> float:
    return datetime.combine(day, time.fromisoformat(hour), tzinfo=zone).replace(fold=fold).timestamp()
