"""The steps of a call plan as the configuration names them, and the hours at which each step counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from intercom.config.fields import DESTINATION, HOURS, LABEL, NAME, setting
from intercom.config.table import Table

WEEK: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY: Final = "holiday"
STEPS_LIMIT: Final = 64
"""Limit of steps in all plans together: sixteen buttons with four steps each."""
AT_ONCE_LIMIT: Final = 16
"""Limit of addresses that a step rings at once; more people are a group."""
PLAN_LIMIT_S: Final = 600.0
"""Limit of the time for which a press rings, all its steps together: nobody waits at a door for longer."""
_DAY_S: Final = 86_400


class StepConfig(Table):
    """A step of a call plan: who is rung or told, for how long, and when: [call-plan.md](call-plan.md)."""

    plan: str = setting(
        "", "The plan that the step belongs to. Empty: the plan of a button that names none.", shape=NAME
    )
    name: str = setting("", "What the log, `intercom status` and `intercom plan` call the step.", shape=LABEL)
    ring: tuple[str, ...] = setting(
        (),
        "The addresses that ring at once: a group, devices, or with a SignalWire account telephone numbers. A service "
        "other than the embedded space rings one after the other. Empty, where `notify` is empty too: `call.ring`.",
        shape=DESTINATION,
    )
    notify: tuple[str, ...] = setting(
        (),
        "Names of `[[notify]]` entries that are told as the step begins. An entry that a step names is not told of the "
        "press otherwise.",
        shape=NAME,
    )
    ring_time_s: float = setting(
        30.0, "Seconds that the step rings. A step that only tells somebody takes no time.", low=1, high=600
    )
    refused: str = setting(
        "everybody",
        "What ends when somebody declines: `everybody` the whole press, `device` the ringing of that device alone; the "
        "others ring on, and the next step follows when all have declined.",
        choices=("everybody", "device"),
    )
    days: tuple[str, ...] = setting(
        (),
        "Days on which the step counts; `holiday` is each date in `call.holidays`, which is no weekday then. Empty: "
        "every day.",
        choices=(*WEEK, HOLIDAY),
    )
    hours: tuple[str, ...] = setting(
        (),
        'Local times at which it counts, for example `["08:00-12:00", "14:00-18:00"]`; `22:00-06:00` goes on in the '
        "next morning, and belongs to the day on which it begins. Empty: at any time.",
        shape=HOURS,
    )


@dataclass(frozen=True, slots=True)
class Moment:
    """A time of day on a day of the plan."""

    today: str
    """Day: a weekday of `WEEK`, or `HOLIDAY`."""
    yesterday: str
    """Day before it: what began then goes on after midnight."""
    second: int
    """Local time, seconds since midnight."""

    @classmethod
    def of(cls, when: datetime, holidays: Iterable[str]) -> "Moment":
        """Return the moment of this local time."""
        dates = tuple(holidays)
        yesterday = day_of(when.date() - timedelta(days=1), dates)
        return cls(day_of(when.date(), dates), yesterday, _seconds(when.time()))


def day_of(when: date, holidays: Iterable[str]) -> str:
    """Return the day of the plan on this date: a weekday, or a holiday."""
    is_holiday = not {when.isoformat(), f"{when:%m-%d}"}.isdisjoint(holidays)
    return HOLIDAY if is_holiday else WEEK[when.weekday()]


def why_not(step: StepConfig, moment: Moment) -> str:
    """Return why a step does not count at this moment, as a clause; empty if it counts."""
    spans = [_span(text) for text in step.hours] or [(0, _DAY_S)]
    days = [moment.today for start, end in spans if start <= moment.second < end]
    days += [moment.yesterday for _, end in spans if moment.second + _DAY_S < end]
    if not days:
        return f"it counts at {' and '.join(step.hours)} only"
    if step.days and set(step.days).isdisjoint(days):
        return f"it counts on {', '.join(step.days)} only"
    return ""


def moments(steps: Iterable[StepConfig], *, holidays: bool) -> list[Moment]:
    """Return moments of every kind of day, between any two of which no step begins or ceases to count."""
    clocks = sorted({0} | {edge % _DAY_S for step in steps for text in step.hours for edge in _span(text)})
    days = [(WEEK[number], WEEK[number - 1]) for number in range(7)]
    if holidays:
        days += [(today, HOLIDAY) for today in (*WEEK, HOLIDAY)] + [(HOLIDAY, yesterday) for yesterday in WEEK]
    return [Moment(today, yesterday, clock) for today, yesterday in days for clock in clocks]


def _span(text: str) -> tuple[int, int]:
    """Return the beginning and end of "22:00-06:00" in seconds since the midnight before its beginning."""
    start, end = (_seconds(time.fromisoformat(clock)) for clock in text.split("-"))
    return start, end if end > start else end + _DAY_S


def _seconds(clock: time) -> int:
    return clock.hour * 3600 + clock.minute * 60 + clock.second
