"""A client whose socket lives and whose program does not is nobody whom a call rings; time is a number."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.space.switch.sessions.liveness import ASK_AFTER_S, SIGN_LIMIT_S
from tests.space.switchboard import SDP, Switchboard


class FreezingSwitchboard(Switchboard):
    """A switchboard some of whose clients are frozen: their sockets take every frame, and nobody reads it."""

    def __init__(self, *people: str) -> None:
        self.frozen: set[str] = set()
        self.unread: list[tuple[str, dict[str, Any]]] = []
        super().__init__(*people)

    def says(self, who: str, frame: dict[str, Any]) -> None:
        if who in self.frozen:
            self.unread.append((who, frame))
        else:
            super().says(who, frame)

    def wake(self, who: str) -> None:
        """Let a client read what came meanwhile."""
        self.frozen.discard(who)
        unread, self.unread = self.unread, []
        for reader, frame in unread:
            self.says(reader, frame)
        self.settle()

    def dial(self, address: str) -> None:
        self.verto("door", "verto.invite", "call", sdp=SDP, dialog={"destination_number": address})

    def causes(self) -> list[str]:
        return [bye["params"]["cause"] for bye in self.heard["door"] if bye["method"] == "verto.bye"]


@pytest.fixture
def house() -> FreezingSwitchboard:
    return FreezingSwitchboard("door", "kitchen", "hall")


def test_the_caller_of_a_page_that_hangs_is_told_that_nobody_is_there(house: FreezingSwitchboard) -> None:
    house.frozen.add("kitchen")
    house.dial("/private/kitchen")
    house.wait(SIGN_LIMIT_S - 0.1)
    assert house.causes() == []
    house.wait(0.1)
    assert house.causes() == ["USER_NOT_REGISTERED"]


def test_whoever_else_rings_goes_on(house: FreezingSwitchboard) -> None:
    house.frozen.add("kitchen")
    house.dial("/private/house")
    house.wait(SIGN_LIMIT_S)
    assert (house.causes(), house.methods("hall")) == ([], ["verto.invite"])
    house.verto("hall", "verto.answer", house.heard["hall"][0]["params"]["callID"], sdp=SDP)
    assert house.methods("door") == ["verto.answer"]


def test_a_page_that_rings_and_then_hangs_rings_no_longer(house: FreezingSwitchboard) -> None:
    house.dial("/private/kitchen")
    house.frozen.add("kitchen")
    house.wait(ASK_AFTER_S)
    house.wait(SIGN_LIMIT_S)
    assert house.causes() == ["USER_NOT_REGISTERED"]


def test_a_page_that_hangs_is_not_online_before_anybody_calls_it(house: FreezingSwitchboard) -> None:
    house.frozen.add("kitchen")
    house.wait(ASK_AFTER_S)
    house.wait(SIGN_LIMIT_S)
    assert house.exchange.online() == ["door", "hall"]
    house.dial("/private/kitchen")
    assert house.causes() == ["USER_NOT_REGISTERED"]


def test_a_page_that_wakes_is_rung_for_the_call_that_still_waits_and_not_for_the_one_that_is_over(
    house: FreezingSwitchboard,
) -> None:
    house.frozen.add("kitchen")
    house.dial("/private/house")
    house.wait(SIGN_LIMIT_S)
    house.wake("kitchen")
    old, bye, new = house.heard["kitchen"]
    assert [message["method"] for message in (old, bye, new)] == ["verto.invite", "verto.bye", "verto.invite"]
    assert (bye["params"]["callID"], bye["params"]["cause"]) == (old["params"]["callID"], "NO_USER_RESPONSE")
    house.verto("kitchen", "verto.answer", new["params"]["callID"], sdp=SDP)
    assert house.methods("door") == ["verto.answer"]


def test_a_page_that_is_there_stays_online_however_long_nothing_happens(house: FreezingSwitchboard) -> None:
    for _ in range(100):
        house.wait(ASK_AFTER_S / 2)
    assert house.exchange.online() == ["door", "hall", "kitchen"]


def test_a_page_that_does_not_acknowledge_events_is_asked_when_it_is_to_ring(house: FreezingSwitchboard) -> None:
    house.join("attic-link", token="hall", event_acks=False)
    house.frozen.add("attic-link")
    house.dial("/private/hall")
    assert [frame["method"] for who, frame in house.unread if who == "attic-link"][-2:] == [
        "signalwire.event",
        "signalwire.ping",
    ]


def test_a_call_in_progress_is_not_ended_by_silence(house: FreezingSwitchboard) -> None:
    house.call("door", "kitchen")
    house.frozen.add("kitchen")
    house.wait(ASK_AFTER_S)
    house.wait(SIGN_LIMIT_S)
    house.wait(SIGN_LIMIT_S)
    assert house.causes() == []


def test_a_client_that_lost_its_socket_has_its_usual_time_to_come_back(house: FreezingSwitchboard) -> None:
    house.frozen.add("kitchen")
    house.dial("/private/kitchen")
    house.lose("kitchen")
    house.wait(SIGN_LIMIT_S)
    assert house.causes() == []
