"""A ring in quiet hours: without a sound on pages that can, on no other, and never into the void."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from intercom.config import SpaceConfig
from intercom.space.quiet.house_quiet import HouseQuiet, Manner
from intercom.space.store.database import Transaction
from intercom.space.store.store import Store
from intercom.space.switch.calls.calls import RING_GRACE_S, RING_S
from intercom.space.switch.quiet_desk import LOOK_S
from tests.growth import Database, counted_databases
from tests.space.switch.rings.test_bell import invite, press, states
from tests.space.switchboard import SDP, Switchboard

PAGE = "intercom-station/0.1 rings/1 silent/1"
OLDER_PAGE = "intercom-station/0.1 rings/1"
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()


def let_in(store: Store, *residents: str) -> None:
    """Write residents down as the switchboard knows them, with their names as ids."""

    def write(db: Transaction) -> None:
        for who in residents:
            db.execute("INSERT INTO subscribers VALUES (?, ?, ?, ?, ?)", (who, who, who, "resident", ""))

    store._db.write(write)


class Quiet:
    """A door, Anna's and Ben's pages and Cleo's older one, with how each rings, and a clock."""

    def __init__(self, directory: Path, config: SpaceConfig | None = None) -> None:
        self.now = NOON
        self.board = Switchboard(
            "door", "anna", "ben", "cleo", agents={"door": "door/1", "anna": PAGE, "ben": PAGE, "cleo": OLDER_PAGE}
        )
        self.store = Store(directory / "space.sqlite3", now=lambda: self.now)
        let_in(self.store, "anna", "ben", "cleo")
        self.house = HouseQuiet(self.store.quiet, config or SpaceConfig(), wall=lambda: self.now, zone=UTC)
        control = self.board.exchange.control
        control.quiet.house, control.bell.manner = self.house, self.house.manner

    def want(self, who: str, manner: Manner) -> None:
        """Let a device be quiet in this manner until it takes it back."""
        self.house.set_resident(who, begins="", ends="", notify=manner is Manner.SILENTLY)
        self.house.order_resident(who, quiet=manner is not Manner.ALOUD)

    def asks(self, who: str, **wish: Any) -> dict[str, Any]:
        """Send a wish; return the answer."""
        answer = self.board.rpc(who, "intercom.quiet", wish)
        assert answer is not None
        return answer

    def told(self, who: str) -> dict[str, Any]:
        """What somebody was told last of quiet hours."""
        return [told for event, told in self.board.told[who] if event == "intercom.quiet"][-1]


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Quiet]:
    made = Quiet(tmp_path)
    yield made
    made.store.close()


def rung(board: Switchboard) -> list[str]:
    return [who for who in ("anna", "ben", "cleo") if "verto.invite" in board.methods(who)]


def test_a_quiet_page_is_invited_without_a_sound_and_the_others_as_ever(quiet: Quiet) -> None:
    quiet.want("anna", Manner.SILENTLY)
    press(quiet.board)
    assert invite(quiet.board, "anna")["silent"] is True
    assert "silent" not in invite(quiet.board, "ben")


def test_a_page_that_wants_to_be_left_alone_is_not_invited_but_hears_how_it_ended(quiet: Quiet) -> None:
    quiet.want("anna", Manner.NOT_AT_ALL)
    press(quiet.board)
    assert rung(quiet.board) == ["ben", "cleo"]
    quiet.board.verto("ben", "verto.answer", invite(quiet.board, "ben")["callID"], sdp=SDP)
    assert states(quiet.board, "anna")[-1] == ("answered", "ben")


def test_a_client_that_knows_no_silent_rings_is_not_invited_while_it_is_quiet(quiet: Quiet) -> None:
    quiet.want("cleo", Manner.SILENTLY)
    press(quiet.board)
    assert rung(quiet.board) == ["anna", "ben"]


def test_a_visitor_whom_nobody_wants_to_hear_learns_it_at_once_and_the_pages_that_somebody_was_there(
    quiet: Quiet,
) -> None:
    for who in ("anna", "ben", "cleo"):
        quiet.want(who, Manner.NOT_AT_ALL)
    press(quiet.board)
    (bye,) = quiet.board.heard["door"]
    assert (bye["method"], bye["params"]["cause"]) == ("verto.bye", "NO_USER_RESPONSE")
    assert states(quiet.board, "anna")[-1] == ("missed", "")


def test_a_visitor_who_is_shown_to_somebody_rings_on(quiet: Quiet) -> None:
    for who in ("anna", "ben", "cleo"):
        quiet.want(who, Manner.NOT_AT_ALL if who == "ben" else Manner.SILENTLY)
    press(quiet.board)
    quiet.board.wait(RING_S)
    assert quiet.board.methods("door") == []
    quiet.board.wait(RING_GRACE_S)
    assert quiet.board.methods("door") == ["verto.bye"]


def test_a_page_that_comes_while_it_rings_is_as_quiet_as_one_that_was_there(quiet: Quiet) -> None:
    quiet.want("anna", Manner.SILENTLY)
    quiet.want("ben", Manner.NOT_AT_ALL)
    quiet.board.lose("anna", closed=True)
    quiet.board.lose("ben", closed=True)
    press(quiet.board)
    quiet.board.join("anna", agent=PAGE)
    quiet.board.join("ben", agent=PAGE)
    assert invite(quiet.board, "anna")["silent"] is True
    assert rung(quiet.board) == ["anna", "cleo"]


def test_a_page_that_takes_its_quiet_back_while_it_rings_is_rung(quiet: Quiet) -> None:
    quiet.want("anna", Manner.NOT_AT_ALL)
    press(quiet.board)
    quiet.asks("anna", quiet=False)
    assert "silent" not in invite(quiet.board, "anna")


def test_a_call_of_another_page_is_as_quiet_as_a_door_s(quiet: Quiet) -> None:
    quiet.want("anna", Manner.SILENTLY)
    quiet.board.verto("ben", "verto.invite", "call", sdp=SDP, dialog={"destination_number": "/private/anna"})
    assert invite(quiet.board, "anna")["silent"] is True


def test_a_page_sets_its_own_quiet_and_every_page_and_door_is_told_of_the_house_s(quiet: Quiet) -> None:
    answer = quiet.asks("anna", quiet=True, for_s=3600)
    assert answer["result"]["device"]["until"] == NOON + 3600
    assert not quiet.told("ben")["device"]["quiet"]
    quiet.asks("door", of="house", quiet=True, until="13:30")
    assert quiet.told("ben")["house"]["until"] == NOON + 5400
    assert quiet.told("door") == {
        "house": {"quiet": True, "until": NOON + 5400, "begins": "", "ends": "07:00", "notify": True},
        "devices": ["anna"],
    }


def test_a_page_gives_its_device_daily_hours(quiet: Quiet) -> None:
    quiet.asks("anna", begins="11:00", ends="14:00", notify=False)
    assert quiet.house.manner("anna", "/private/door", "") is Manner.NOT_AT_ALL
    quiet.now += 2 * 3600
    assert quiet.house.manner("anna", "/private/door", "") is Manner.ALOUD


def test_pages_are_told_when_hours_begin_and_end(quiet: Quiet) -> None:
    quiet.asks("anna", begins="13:00", ends="14:00")
    for hours, is_quiet in ((1, True), (1, False)):
        quiet.now += hours * 3600
        quiet.board.wait(LOOK_S)
        assert quiet.told("anna")["device"]["quiet"] is is_quiet


def test_a_page_that_registers_is_told_how_quiet_it_is(quiet: Quiet) -> None:
    quiet.want("anna", Manner.SILENTLY)
    quiet.board.lose("anna", closed=True)
    quiet.board.join("anna", agent=PAGE)
    assert quiet.told("anna")["device"]["quiet"]


def test_older_pages_are_told_nothing_of_quiet(quiet: Quiet) -> None:
    quiet.asks("door", of="house", quiet=True)
    assert [event for event, _ in quiet.board.told["cleo"]] == ["intercom.rings"]


def test_a_door_sets_no_device_s_quiet(quiet: Quiet) -> None:
    quiet.asks("door", of="device", quiet=True)
    assert quiet.store.quiet.devices() == []


@pytest.mark.parametrize(
    "wish",
    [
        {"quiet": True, "for_s": -1},
        {"quiet": True, "for_s": 1e12},
        {"quiet": True, "until": "25:00"},
        {"begins": "7"},
        {"of": "anna", "quiet": True},
        {"quiet": "yes"},
    ],
)
def test_a_wish_that_is_none_changes_nothing(quiet: Quiet, wish: dict[str, Any]) -> None:
    assert "error" in quiet.asks("anna", **wish)
    assert quiet.store.quiet.devices() == []


@contextlib.contextmanager
def look_at(directory: Path, size: int) -> Iterator[tuple[Callable[[], None], Database]]:
    """The look at the quiet of a house of so many doors and pages, all of which want it to be quiet; its database."""
    doors, pages = ([f"{name}-{number}" for number in range(size)] for name in ("door", "page"))
    agents = dict.fromkeys(doors, "door/1") | dict.fromkeys(pages, PAGE)
    with counted_databases() as database, contextlib.closing(Store(directory / f"{size}", now=lambda: NOON)) as store:
        desk = Switchboard(*doors, *pages, agents=agents).exchange.control.quiet
        let_in(store, *pages)
        desk.house = HouseQuiet(store.quiet, SpaceConfig(), wall=lambda: NOON, zone=UTC)
        for who in pages:
            desk.house.order_resident(who, quiet=True)
        yield desk.tell_changes, database


def test_the_look_at_the_quiet_costs_a_house_of_many_doors_and_devices_no_more_than_each_of_them(
    tmp_path: Path,
) -> None:
    costs, few, many = {}, 4, 16
    for size in (few, many):
        with look_at(tmp_path, size) as (look, database):
            costs[size] = database.of(look)
    assert costs[many] <= costs[few] * many / few * 1.25


def test_the_look_at_the_quiet_of_a_house_of_many_asks_its_database_no_more_often_than_that_of_a_few(
    tmp_path: Path,
) -> None:
    asked = []
    for size in (4, 16):
        with look_at(tmp_path, size) as (look, database):
            asked.append(database.queries_of(look))
    assert asked[0] == asked[1]
