"""What the switchboard does for a house of any size: nothing grows faster than the house."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.signalwire.wire.agents import RINGS, SILENT
from intercom.space.quiet.house_quiet import HouseQuiet
from intercom.space.store.store import DATABASE, Store
from tests.growth import counted_databases, instructions
from tests.space.switchboard import SDP, Switchboard

FEW, MANY = 40, 160
LINEAR = 1.25
"""Limit of the growth over that of the house; what does not grow at all makes it smaller."""
PAGE = f"station {RINGS} {SILENT}"


class Crowd(Switchboard):
    """A door and so many pages, all of them in the group that the door rings."""

    def __init__(self, size: int) -> None:
        self.pages = [f"page-{number}" for number in range(size)]
        people = ("door", "door-2", *self.pages)
        super().__init__(*people, agents=dict.fromkeys(self.pages, PAGE))

    def ring(self, door: str = "door") -> None:
        """Ring everybody."""
        self.verto(door, "verto.invite", f"call of {door}", sdp=SDP, dialog={"destination_number": "/private/house"})

    def rung(self, page: str) -> str:
        """Return the callID of the last invite of a page."""
        invites = [message for message in self.heard[page] if message["method"] == "verto.invite"]
        return str(invites[-1]["params"]["callID"])


def ringing(size: int) -> Crowd:
    house = Crowd(size)
    house.ring()
    assert all(house.rung(page) for page in house.pages)
    return house


def a_ring(size: int) -> Callable[[], object]:
    return Crowd(size).ring


def a_ring_of_a_second_door_meanwhile(size: int) -> Callable[[], object]:
    house = ringing(size)
    return lambda: house.ring("door-2")


def a_second_while_all_ring(size: int) -> Callable[[], object]:
    house = ringing(size)
    return lambda: house.wait(1.0)


def an_answer(size: int) -> Callable[[], object]:
    house = ringing(size)
    return lambda: house.verto("page-1", "verto.answer", house.rung("page-1"), sdp=SDP)


def everybody_is_busy(size: int) -> Callable[[], object]:
    house = ringing(size)
    calls = [(page, house.rung(page)) for page in house.pages]

    def decline() -> None:
        for page, call in calls:
            house.verto(page, "verto.bye", call, cause="USER_BUSY", causeCode=17)

    return decline


def everybody_comes_while_it_rings(size: int) -> Callable[[], object]:
    house = Crowd(size)
    for page in house.pages[1:]:
        house.rpc(page, "subscriber.offline", {})
    house.ring()

    def come() -> None:
        for page in house.pages[1:]:
            house.rpc(page, "subscriber.online", {})

    return come


def everybody_connects(size: int) -> Callable[[], object]:
    return lambda: Crowd(size)


def an_alarm(size: int) -> Callable[[], object]:
    house = Crowd(size)
    return lambda: house.rpc("door", "intercom.alarms", {"alarms": ["tamper"]})


def everybody_leaves_while_it_rings(size: int) -> Callable[[], object]:
    house = ringing(size)

    def leave() -> None:
        for page in house.pages:
            house.lose(page, left=True)
        house.wait(20.0)

    return leave


@pytest.mark.parametrize(
    "scene",
    [
        a_ring,
        a_ring_of_a_second_door_meanwhile,
        a_second_while_all_ring,
        an_answer,
        everybody_is_busy,
        everybody_comes_while_it_rings,
        everybody_connects,
        an_alarm,
        everybody_leaves_while_it_rings,
    ],
)
def test_four_times_the_house_is_at_most_four_times_the_work(scene: Callable[[int], Callable[[], object]]) -> None:
    few, many = instructions(scene(FEW)), instructions(scene(MANY))
    assert many / few <= MANY / FEW * LINEAR, f"{few} and {many} instructions"


def test_a_minute_in_which_nothing_happens_is_no_more_work_for_each_page_of_a_large_house(tmp_path: Path) -> None:
    """Nothing but signs of life, and the look for hours of quiet that begin or end."""
    steps, looks = {}, {}
    with counted_databases() as database:
        for size in (FEW, MANY):
            house, store = Crowd(size), Store(tmp_path / str(size) / DATABASE, now=lambda: 0.0)
            with contextlib.closing(store):
                quiet = HouseQuiet(store.quiet, SpaceConfig(quiet_from="22:00", quiet_to="07:00"), wall=lambda: 0.0)
                house.exchange.control.quiet.house = quiet

                def minute(house: Crowd = house) -> None:
                    for _ in range(60):
                        house.wait(1.0)

                looks[size] = database.of(minute)
                steps[size] = instructions(minute)
    assert steps[MANY] / steps[FEW] <= MANY / FEW * LINEAR
    assert looks[MANY] / looks[FEW] <= MANY / FEW * LINEAR


def test_a_call_between_two_costs_a_large_house_what_it_costs_a_small_one() -> None:
    def call(size: int) -> Callable[[], object]:
        house = Crowd(size)
        return lambda: house.call("page-0", "page-1")

    assert instructions(call(MANY)) <= instructions(call(FEW)) * MANY / FEW * LINEAR


def test_the_door_of_a_large_house_is_told_of_an_answer_long_before_its_pages_are() -> None:
    house = ringing(MANY)
    answer = house.verto_frame("verto.answer", house.rung("page-1"), sdp=SDP)

    def tell_the_door() -> None:
        house.exchange.received("page-1", answer, house.now)
        assert [frame.link for frame in house.exchange.drain_first()] == ["door"]

    assert instructions(tell_the_door) * 20 <= instructions(house.settle)


def test_a_ring_sends_each_page_the_same_few_frames_whatever_the_size() -> None:
    sent = {size: len(messages) for size in (FEW, MANY) for messages in [ringing(size).heard["page-0"]]}
    assert sent[FEW] == sent[MANY]
