"""What the settings allow is what happens: no limit elsewhere ends a call before the door does."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, cast

import pytest

from intercom.cli.running_door import watch as cli_watch
from intercom.config import CallConfig
from intercom.config.fields import settings_of
from intercom.control.client import Client
from intercom.signalwire.call.dialog.dialog import Dialog
from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.space.switch.calls.call_snapshot import OLDEST_S
from tests.space.switchboard import SDP, Switchboard

LONGEST = {setting.name: setting.high or 0.0 for setting in settings_of(CallConfig)}


def test_the_client_lets_a_call_ring_for_the_longest_time_that_can_be_set() -> None:
    dialog = Dialog(CallLeg("call", "outbound", to="/private/house"))
    dialog.invite(SDP, now=0.0)
    dialog.tick(LONGEST["ring_time_s"])
    assert not dialog.is_over


def test_the_space_lets_a_call_ring_for_the_longest_time_that_can_be_set() -> None:
    house = Switchboard("door", "kitchen")
    told = {"intercom": {"for_s": LONGEST["ring_time_s"]}}
    dialog = {"destination_number": "/private/kitchen", "userVariables": told}
    house.verto("door", "verto.invite", "call", sdp=SDP, dialog=dialog)
    house.wait(LONGEST["ring_time_s"])
    assert house.methods("kitchen") == ["verto.invite"]


def test_a_space_that_restarts_keeps_a_call_of_the_longest_time_that_can_be_set() -> None:
    assert LONGEST["time_limit_s"] <= OLDEST_S


class Watched:
    """A service whose status is looked at each second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, docs: list[dict[str, Any]]) -> None:
        self.now = 0.0
        self._docs = docs
        monkeypatch.setattr(cli_watch.time, "monotonic", lambda: self.now)

    def watch(self) -> Iterator[dict[str, Any]]:
        for doc in self._docs:
            yield doc
            self.now += 1.0


def wait(service: Watched, at_most: int | None = None) -> int:
    return cli_watch._wait(argparse.Namespace(at_most=at_most), cast(Client, service))


def doc(**call: Any) -> dict[str, Any]:
    return {"phase": "active" if call else "none", "call": {"id": "a", **call} if call else None}


def test_waiting_lasts_as_long_as_the_call_can(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Watched(monkeypatch, [doc(ends_within_s=3600.0 - second) for second in range(3600)] + [doc()])
    assert wait(service) == cli_watch.OK


def test_a_call_that_lasts_longer_than_it_can_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Watched(monkeypatch, [doc(ends_within_s=0.0)] * 3600)
    assert wait(service) == cli_watch.TROUBLE
    assert service.now < 60


def test_an_older_service_that_does_not_say_when_its_call_ends_is_waited_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service = Watched(monkeypatch, [doc(direction="outbound")] * 3600)
    assert wait(service) == cli_watch.TROUBLE
    assert service.now == pytest.approx(cli_watch.WAIT_S + cli_watch.LATE_S, abs=2)


def test_who_asks_for_less_waits_less(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Watched(monkeypatch, [doc(ends_within_s=3600.0)] * 3600)
    assert wait(service, at_most=5) == cli_watch.TROUBLE
    assert service.now == pytest.approx(5, abs=2)


@pytest.mark.parametrize("begins", [{"phase": "ringing_out"}, {"press_waits": True}])
def test_a_press_that_is_no_call_yet_is_waited_for_as_well(
    monkeypatch: pytest.MonkeyPatch, begins: dict[str, Any]
) -> None:
    service = Watched(monkeypatch, [doc() | begins] * 30 + [doc()] * 30)
    assert wait(service) == cli_watch.OK
    assert service.now == 30
