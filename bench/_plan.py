"""A plan of five steps, as a large house has one: what a press takes must not grow with it."""

from __future__ import annotations

from dataclasses import replace

from intercom.config import CallConfig, StepConfig

OTHERS = ("upstairs", "workshop", "neighbour", "caretaker")
ANY_TIME = ("00:00-12:00", "12:00-00:00")


def planned(call: CallConfig) -> CallConfig:
    """These calls by a plan: the house, then four who are not there, whose steps are skipped as they come."""
    first = StepConfig(name="house", ring=("/private/house",), ring_time_s=call.ring_time_s, hours=ANY_TIME)
    others = (replace(first, name=name, ring=(f"/private/{name}",)) for name in OTHERS)
    return replace(call, plan=(first, *others))
