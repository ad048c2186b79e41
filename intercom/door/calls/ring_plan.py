"""Decides whom a press rings, one step after the other, and why. Pure: facts and the time go in, steps come out.

A `Walk` is one press's way through its steps. It stands at one step at a time, and each change gives a reason. A step's
time runs from its beginning, also while the service is away; a step at which nobody can be rung is left at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from intercom.address import Address
from intercom.config import ButtonConfig, CallConfig, StepConfig
from intercom.config.call_plan import PLAN_LIMIT_S, Moment, why_not

OUTAGES: Final = ("RECOVERY_ON_TIMER_EXPIRE", "NORMAL_TEMPORARY_FAILURE")
"""Causes of an end that nobody chose: the service is away, and may be back at any moment."""
NOBODY_THERE: Final = "USER_NOT_REGISTERED"
"""Cause of the end of a call that found no device: none is connected, and none can be woken."""
EARLY_S: Final = 0.001
"""Time by which a timer may be early: the loop's clock is coarser than its timers."""
NOBODY_DISTURBED: Final = "NO_USER_RESPONSE"
"""Cause of the end of a call for devices that all want to be left alone."""
_PEOPLE: Final = {"CALL_REJECTED": "somebody declined", "USER_BUSY": "all are busy", "NO_ANSWER": "nobody answered"}
"""Causes that a person stands behind: those tell most of a press."""
_TAKEN: Final = "LOSE_RACE"
"""Cause of the end of a call for a press that somebody took already."""


class Step(Struct, frozen=True):
    """One step of a press: addresses that ring at once, or services that are told."""

    ring: tuple[str, ...] = ()
    """The addresses; none: the step only tells somebody, and takes no time."""
    ring_time_s: float = 0.0
    """Time for which it rings, seconds."""
    name: str = ""
    """Name that its owner gave it."""
    notify: tuple[str, ...] = ()
    """Names of the services of `[[notify]]` that are told as it begins."""
    refused: Literal["everybody", "device"] = "everybody"
    """What ends when somebody declines: the press, or the ringing of that device."""

    @property
    def address(self) -> str:
        """The addresses as one text, safe to show."""
        return ", ".join(str(Address.parse(address)) for address in self.ring)


class Chosen(Struct, frozen=True):
    """The steps of a plan at one moment."""

    steps: tuple[Step, ...]
    """The steps that count, in their order."""
    left_out: tuple[tuple[str, str], ...] = ()
    """The others: their name, or what they would ring, and the reason."""


class RingPlans:
    """The call plans of a door: whom each button rings at which time.

    :param buttons: the buttons; each begins a plan.
    :param at_once: whether the service rings several addresses in one call.
    """

    def __init__(
        self,
        call: CallConfig,
        buttons: Iterable[ButtonConfig] = (),
        *,
        at_once: bool = True,
        now: Callable[[], datetime] = lambda: datetime.now().astimezone(),
    ) -> None:
        """`now` is the local time."""
        self._call = call
        self._plans = {button.name: button.plan for button in buttons}
        self._at_once = at_once
        self._now = now
        self.first = next(iter(self._plans), "")
        "name of the first button"

    def begun(self, button: str, moment: float, *, only: str = "") -> Walk:
        """Return the way of a press of this button that begins now, at this moment of the monotonic clock.

        :param only: an address that it rings instead of the plan's.
        """
        steps = (Step((only,), self._call.ring_time_s),) if only else self.chosen(button, self._now()).steps
        return Walk.begun(steps, moment)

    def chosen(self, button: str, when: datetime) -> Chosen:
        """Return the steps of a press of this button at this local time."""
        plan = self._plans.get(button, "")
        configured = [step for step in self._call.plan if step.plan == plan]
        if not configured:
            return Chosen((Step((self._call.ring,), self._call.ring_time_s),))
        moment = Moment.of(when, self._call.holidays)
        reasons = [(step, why_not(step, moment)) for step in configured]
        steps = tuple(step for config, why in reasons if not why for step in self._steps(config))
        return Chosen(steps, tuple((_title(config), why) for config, why in reasons if why))

    @property
    def longest_s(self) -> float:
        """Return the longest time for which a press may ring, seconds."""
        plans = {step.plan for step in self._call.plan}
        sums = [
            sum(step.ring_time_s * max(1, len(step.ring)) for step in self._call.plan if step.plan == plan)
            for plan in plans
        ]
        return max([self._call.ring_time_s, *(min(seconds, PLAN_LIMIT_S) for seconds in sums)])

    def _steps(self, config: StepConfig) -> list[Step]:
        """Return what a step of the configuration is for the service: one call for each address, or one for all."""
        refused: Literal["everybody", "device"] = "device" if config.refused == "device" else "everybody"
        addresses = config.ring or (() if config.notify else (self._call.ring,))
        calls = [addresses] if self._at_once or not addresses else [(address,) for address in addresses]
        return [
            Step(ring, config.ring_time_s, config.name, () if number else config.notify, refused)
            for number, ring in enumerate(calls)
        ]


class Walk(Struct, frozen=True):
    """One press's way through its steps, as it stands; a change makes another one."""

    steps: tuple[Step, ...]
    """The steps of the press."""
    at: Annotated[int, Meta(ge=0)]
    """Index of the present step; the number of steps after the last one."""
    ends_at: float
    """End of the present step on the monotonic clock, seconds."""
    why: str
    """Reason why it stands there, as a clause."""
    cause: str = ""
    """Cause of the end of the calls until now that says most, by its FreeSWITCH name; empty: none has ended."""
    done: bool = False
    """Whether somebody ended the press before its last step."""
    told: Annotated[int, Meta(ge=-1)] = -1
    """Index of the last step that has begun; beyond the present one where only services are left to be told."""

    @classmethod
    def begun(cls, steps: tuple[Step, ...], now: float) -> Walk:
        """Return the way of a press of this moment."""
        before = cls(steps, at=-1, ends_at=now, why="")
        return before._on(now, "the press begins" if steps else "the plan names nobody for this time")

    @property
    def over(self) -> bool:
        """Whether there is nothing more to ring."""
        return self.done or self.at >= len(self.steps)

    @property
    def step(self) -> Step:
        """The present step; the last one once the press is over."""
        return self.steps[min(self.at, len(self.steps) - 1)] if self.steps else Step()

    @property
    def has_next(self) -> bool:
        """Whether another step follows that rings somebody."""
        return any(step.ring for step in self.steps[self.at + 1 :])

    @property
    def rung_before(self) -> tuple[str, ...]:
        """The addresses of the steps before the present one."""
        return tuple(address for step in self.steps[: self.at] for address in step.ring)

    @property
    def address(self) -> str:
        """The addresses of the present step, or of the last one that rang, safe to show."""
        rang = [step.address for step in self.steps[: self.at + 1] if step.ring]
        return rang[-1] if rang else ""

    @property
    def until(self) -> float:
        """The end of the whole press at the latest, on the monotonic clock."""
        return self.ends_at + sum(step.ring_time_s for step in self.steps[self.at + 1 :] if step.ring)

    def begun_since(self, before: Walk | None) -> list[tuple[int, Step]]:
        """Return the steps that have begun since an earlier stand of the same press, with their numbers from 1."""
        first = 0 if before is None else before.told + 1
        return [(number + 1, self.steps[number]) for number in range(first, self.told + 1)]

    def elapsed(self, now: float) -> Walk:
        """Return where the press stands at this time."""
        walk = self
        while not walk.over and now + EARLY_S >= walk.ends_at:
            walk = walk._on(walk.ends_at, f"the {walk.step.ring_time_s:g} s of step {walk.at + 1} are over")
        return walk

    def ended(self, cause: str, now: float) -> Walk:
        """Return where the press stands after its call ended unanswered; at the same step, it is to ring again."""
        walk = msgspec.structs.replace(self, cause=_telling(self.cause, cause))
        if now + EARLY_S >= self.ends_at:
            return walk.elapsed(now)
        if cause == _TAKEN:
            return walk._over("somebody took it already")
        if cause == "CALL_REJECTED" and self.step.refused == "everybody":
            return walk._over("somebody declined for everybody")
        if cause in OUTAGES:
            return msgspec.structs.replace(walk, why="the service is away, and may be back")
        if cause == NOBODY_THERE and not self.has_next:
            last = len(self.steps) - 1  # those who are only told need not wait for somebody to come
            return msgspec.structs.replace(walk, told=last, why="nobody is there, and somebody may come")
        return walk._on(now, f"at step {self.at + 1} {_words(cause)}")

    def _on(self, now: float, why: str) -> Walk:
        """Begin the next step that rings somebody; those before it only tell somebody."""
        at = self.at + 1
        while at < len(self.steps) and not self.steps[at].ring:
            at += 1
        ends_at = now + (self.steps[at].ring_time_s if at < len(self.steps) else 0.0)
        told = min(at, len(self.steps) - 1)
        return msgspec.structs.replace(self, at=at, ends_at=ends_at, why=why, told=told)

    def _over(self, why: str) -> Walk:
        return msgspec.structs.replace(self, done=True, why=why)


def _telling(before: str, now: str) -> str:
    """Return the cause of two that says more: what a person did stands above what failed."""
    return before if before in _PEOPLE and now not in _PEOPLE else now


def _words(cause: str) -> str:
    if cause == NOBODY_THERE:
        return "nobody is there"
    if cause == NOBODY_DISTURBED:
        return "nobody wants to be disturbed"
    return _PEOPLE.get(cause) or f"the call failed ({cause or 'refused'})"


def _title(config: StepConfig) -> str:
    return config.name or ", ".join(config.ring or config.notify) or "a step without a name"
