"""Who holds a connection, and who gives way when there are too many."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.space.http.connection_limits import DOORS_RESERVE, MEMBERS_LIMIT, ConnectionLimits, members_limit


class Port:
    """The limits, and which connections it ended."""

    def __init__(self, **limits: int) -> None:
        self.limits = ConnectionLimits(**limits)
        self.ended: list[str] = []

    def enter(self, connection: str, machine: str, *, proxy: bool = False) -> None:
        self.limits.entered(connection, machine, self.end(connection), proxy=proxy)

    def end(self, connection: str) -> Callable[[], None]:
        return lambda: self.ended.append(connection)


def test_a_flood_pushes_out_itself() -> None:
    port = Port(guests_limit=4)
    port.enter("phone", "phone's")
    for number in range(6):
        port.enter(f"flood {number}", "flooder's")
    assert port.ended == ["flood 0", "flood 1", "flood 2"]


def test_a_newcomer_takes_the_place_of_whoever_has_the_most() -> None:
    port = Port(guests_limit=4)
    for number in range(3):
        port.enter(f"flood {number}", "flooder's")
    port.enter("tablet", "tablet's")
    port.enter("phone", "phone's")
    assert port.ended == ["flood 0"]


def test_one_machine_is_bounded_before_all_are() -> None:
    port = Port(guests_limit=10, per_machine_limit=2)
    for number in range(3):
        port.enter(f"flood {number}", "flooder's")
    assert port.ended == ["flood 0"]


def test_a_member_gives_way_to_no_guest() -> None:
    port = Port(guests_limit=2)
    port.enter("door", "somebody's")
    port.limits.joined("door", "door")
    for number in range(3):
        port.enter(f"flood {number}", "somebody's")
    assert port.ended == ["flood 0"]


def test_a_member_with_the_most_sockets_gives_way_to_another() -> None:
    port = Port(members_limit=3)
    for number in range(3):
        port.enter(f"page {number}", "tablet's")
        port.limits.joined(f"page {number}", "tablet")
    port.enter("door", "door's")
    port.limits.joined("door", "door")
    assert port.ended == ["page 0"]


def test_a_proxys_connection_counts_for_the_machine_behind_it() -> None:
    port = Port(per_machine_limit=2)
    for number in range(3):
        port.enter(f"proxied {number}", "proxy's", proxy=True)
    assert port.ended == []
    for number in range(3):
        port.limits.speaks_for(f"proxied {number}", "flooder's")
    assert port.ended == ["proxied 0"]


def test_what_has_left_counts_no_more() -> None:
    port = Port(guests_limit=1)
    port.enter("first", "phone's")
    port.limits.left("first")
    port.enter("second", "phone's")
    assert port.ended == []
    assert len(port.limits) == 1


def full_house(residents: int) -> Port:
    port = Port(members_limit=residents + DOORS_RESERVE)
    for number in range(residents):
        port.enter(f"page {number}", "house's")
        port.limits.joined(f"page {number}", f"resident {number}")
    return port


def test_a_house_with_a_member_at_each_place_has_no_room_for_another() -> None:
    port = full_house(3)
    assert not port.limits.has_room_for("resident 3")
    port.limits.left("page 0")
    assert port.limits.has_room_for("resident 3")


def test_a_member_s_second_socket_gives_nobody_a_door_s_place() -> None:
    port = full_house(3)
    port.enter("second page", "house's")
    port.limits.joined("second page", "resident 0")
    assert not port.limits.has_room_for("resident 3")


def test_who_is_in_a_full_house_may_come_in_once_more() -> None:
    assert full_house(3).limits.has_room_for("resident 0")


def test_a_full_house_keeps_room_for_its_doors() -> None:
    port = full_house(3)
    for number in range(DOORS_RESERVE):
        port.enter(f"door {number}", "doors'")
        port.limits.joined(f"door {number}", f"door {number}")
    assert port.ended == []


@pytest.mark.parametrize(("descriptors", "members"), [(1024, 512), (4096, MEMBERS_LIMIT), (256, 2 * DOORS_RESERVE)])
def test_there_are_as_many_members_as_there_are_descriptors_for(descriptors: int, members: int) -> None:
    assert members_limit(descriptors) == members


def test_the_unit_of_the_space_has_descriptors_for_all_of_them() -> None:
    unit = (Path(__file__).parents[3] / "systemd" / "intercom-space.service").read_text(encoding="utf-8")
    (given,) = re.findall(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)
    assert members_limit(int(given)) == MEMBERS_LIMIT
