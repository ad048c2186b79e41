"""A sound card that goes in a call makes the event loop urgent until it is back."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from intercom.door import events
from intercom.door.health.restarts import Restarts
from intercom.door.machine import Phase
from intercom.door.parts import Parts
from intercom.media.events import DeviceLost, DeviceReturned


class Told:
    """In the urgency's place: remembers what it was told."""

    def __init__(self) -> None:
        self.of: list[str] = []

    def begin(self) -> None:
        self.of.append("begin")

    def returned(self) -> None:
        self.of.append("returned")


def _events(monkeypatch: pytest.MonkeyPatch, phase: Phase) -> tuple[events.PartEvents, Told]:
    told = Told()
    monkeypatch.setattr(events, "Urgency", lambda: told)
    machine = SimpleNamespace(phase=phase, fault=lambda *_: None, fault_cleared=lambda _: None)
    door = SimpleNamespace(machine=machine, feedback=SimpleNamespace(sound_lost=lambda: None))

    def at_once(work: Any, *given: object) -> None:
        if work.__name__ != "_card_came":
            work(*given)

    parts = events.PartEvents(cast(Parts, door), cast(Restarts, None), in_loop=at_once, spawn=lambda work: work.close())
    return parts, told


def test_a_card_that_goes_in_a_call_is_urgent_until_it_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    parts, told = _events(monkeypatch, Phase.ACTIVE)
    parts.engine(DeviceLost("capture", "it was unplugged"))
    parts.engine(DeviceReturned("capture", 1.0))
    assert told.of == ["begin", "returned"]


@pytest.mark.parametrize("phase", [Phase.NONE, Phase.RINGING_OUT])
def test_a_card_that_goes_while_nobody_talks_is_not_urgent(monkeypatch: pytest.MonkeyPatch, phase: Phase) -> None:
    parts, told = _events(monkeypatch, phase)
    parts.engine(DeviceLost("capture", "it was unplugged"))
    assert "begin" not in told.of
