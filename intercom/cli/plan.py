"""`intercom plan`: explains whom a press would ring at a given time, and why."""

from __future__ import annotations

import argparse
import json
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from intercom.cli.options import with_config
from intercom.cli.running_door.remote import OK, TROUBLE, complain, say

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.door.calls.ring_plan import Chosen, Step

EXPECTED = 'expected a time like "Sat 23:10", "23:10" or "2026-12-24 18:00"'


def _explain(options: argparse.Namespace, config: Config) -> int:
    import msgspec

    from intercom.config.call_plan import HOLIDAY, day_of
    from intercom.door.calls.ring_plan import RingPlans

    try:
        at = moment_of(options.at, datetime.now().astimezone())
    except ValueError:
        complain(EXPECTED)
        return TROUBLE
    names = [button.name for button in config.panel.buttons]
    if options.button and options.button not in names:
        complain(f'there is no button "{options.button}"; there is {", ".join(filter(None, names)) or "one, unnamed"}')
        return TROUBLE
    plans = RingPlans(config.call, config.panel.buttons, at_once=config.account.credential == "space")
    plan_of = {name: plans.chosen(name, at) for name in ([options.button] if options.button else names)}
    if options.json:
        found = [{"button": name, **msgspec.to_builtins(chosen)} for name, chosen in plan_of.items()]
        say(json.dumps({"at": at.isoformat(timespec="minutes"), "buttons": found}, indent=2))
        return OK
    is_holiday = day_of(at.date(), config.call.holidays) == HOLIDAY
    say(f"{at:%a %Y-%m-%d}{', a holiday' if is_holiday else ''}, {at:%H:%M}:")
    for name, chosen in plan_of.items():
        say("\n".join(explained(name, chosen)))
    return OK


def explained(button: str, chosen: Chosen) -> list[str]:
    """Return the lines that say what happens when a button is pressed."""
    who = f'The button "{button}"' if button else "The button"
    if not chosen.steps:
        lines = [f"{who} rings nobody: the visitor hears at once that nobody answers."]
    else:
        lines = [f"{who} rings:" if any(step.ring for step in chosen.steps) else f"{who} tells:"]
        lines += [f"  {number}  {_in_words(step)}" for number, step in enumerate(chosen.steps, start=1)]
        rings_s = sum(step.ring_time_s for step in chosen.steps if step.ring)
        lines.append(f"  When nobody has answered for {rings_s:g} s in all, the visitor hears it.")
    return lines + [f"  Left out: {title}, as {why}." for title, why in chosen.left_out]


def _in_words(step: Step) -> str:
    words = [f"{step.name}:"] if step.name else []
    if step.ring:
        words.append(f"{' and '.join(step.ring)} for {step.ring_time_s:g} s")
    if step.notify:
        words.append(f"{'and ' if step.ring else ''}tells {', '.join(step.notify)}")
    if step.ring and step.refused == "device":
        words.append("(who declines does so for their device alone)")
    return " ".join(words)


def moment_of(said: str, now: datetime) -> datetime:
    """Return the local time that somebody says; the next such day for a weekday. Raises ValueError."""
    if not said.strip():
        return now
    *day, clock = said.split()
    if len(day) > 1:
        raise ValueError(said)
    on = _day(day[0], now.date()) if day else now.date()
    return datetime.combine(on, time.fromisoformat(clock)).astimezone()


def _day(said: str, today: date) -> date:
    from intercom.config.call_plan import WEEK

    word = said.lower().rstrip(",")
    if len(word) >= 3 and word[:3] in WEEK:
        return today + timedelta(days=(WEEK.index(word[:3]) - today.weekday()) % 7)
    return date.fromisoformat(said)


explain = with_config(_explain)
