"""A press outlives every restart of the door, and no restart rings by itself."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.door.calls.kept_press import BOOT_ID, KeptPress, PressBook, press_file
from intercom.door.calls.ring_plan import Step, Walk
from intercom.door.machine import Phase
from intercom.facts import CutOff, Fact, Pressed, PressedAgain, PressWaits, Unreached
from tests.door_in_memory import HOUSE, DoorInMemory

WALK = Walk.begun((Step((HOUSE,), 60.0),), now=40.0)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "press.json"


class Doors:
    """One process of the door after the other, on one clock."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.now = 0.0
        self.door = self._new()

    def _new(self) -> DoorInMemory:
        return DoorInMemory(press_file=self.file)

    def restart(self, *, after_s: float = 2.0, killed: bool = True) -> DoorInMemory:
        """End the process, with or without a word, and start another one that is not registered yet."""
        kept = self.file.read_bytes() if self.file.exists() else None
        now = self.door.loop.time() + after_s
        self.door.close()
        if killed and kept is not None:
            self.file.write_bytes(kept)
        self.door = self._new()
        self.door.loses_service()
        self.door.service.reachable = True
        self.door.wait(now)
        self.door.now(self.door.plan.ring_on)
        return self.door

    def registers(self) -> None:
        self.door.has_service_again(resumed=False)
        self.door.wait(1)


@pytest.fixture
def doors(file: Path) -> Iterator[Doors]:
    stage = Doors(file)
    yield stage
    stage.door.close()
    assert stage.door.defects == []


@pytest.mark.parametrize("killed", [True, False])
def test_a_press_that_rang_rings_on_after_a_restart_for_the_rest_of_its_time(doors: Doors, killed: bool) -> None:
    doors.door.ring()
    door = doors.restart(killed=killed)
    assert door.feedback.is_trying
    doors.registers()
    assert (door.phase, door.newest.to) == (Phase.RINGING_OUT, HOUSE)
    door.wait(60)
    assert door.phase is Phase.NONE
    assert door.journal.causes == ["NO_ANSWER"]


def test_a_visitor_s_press_is_a_visitor_s_after_a_restart_and_a_command_s_is_not(doors: Doors) -> None:
    doors.door.ring()
    door = doors.restart()
    doors.registers()
    (waits,) = [fact for fact in door.journal.facts if isinstance(fact, PressWaits)]
    (pressed,) = [fact for fact in door.journal.facts if isinstance(fact, Pressed)]
    assert (waits.visitor, pressed.visitor, waits.ring) == (True, True, pressed.ring)
    door.hold()
    door.wait(1)
    door.now(door.plan.ring)
    door.wait(1)
    again = doors.restart()
    doors.registers()
    assert [fact.visitor for fact in again.journal.facts if isinstance(fact, PressWaits | Pressed)] == [False, False]


def test_a_press_that_waited_for_the_service_rings_after_a_restart(doors: Doors) -> None:
    doors.door.loses_service()
    doors.door.press()
    door = doors.restart()
    doors.registers()
    assert door.phase is Phase.RINGING_OUT


def test_a_restart_without_a_press_rings_nobody(doors: Doors) -> None:
    door = doors.restart()
    doors.registers()
    assert (door.phase, door.service.dialled, door.journal.facts) == (Phase.NONE, 0, [])


@pytest.mark.parametrize("killed", [True, False])
def test_a_press_whose_time_is_over_rings_nobody_and_is_in_the_log(doors: Doors, killed: bool) -> None:
    doors.door.ring()
    door = doors.restart(after_s=61, killed=killed)
    doors.registers()
    assert (door.phase, door.service.dialled) == (Phase.NONE, 0)
    assert [type(fact) for fact in door.journal.facts] == [CutOff]


def test_a_press_that_was_answered_rings_nobody_after_a_restart_and_is_in_the_log(doors: Doors) -> None:
    doors.door.talk()
    door = doors.restart()
    doors.registers()
    assert door.service.dialled == 0
    (fact,) = door.journal.facts
    assert isinstance(fact, CutOff)
    assert fact.answered


@pytest.mark.parametrize("end", ["given up", "hung up", "refused", "opened"])
def test_a_press_that_is_over_rings_nobody_after_a_restart(doors: Doors, end: str) -> None:
    call = doors.door.ring()
    match end:
        case "given up":
            doors.door.hold()
        case "hung up":
            doors.door.hang_up()
        case "refused":
            doors.door.ends(call, "CALL_REJECTED")
        case "opened":
            doors.door.opened_by("anna")
    doors.door.wait(1)
    door = doors.restart()
    doors.registers()
    assert (door.service.dialled, door.journal.facts) == (0, [])


def test_a_press_of_before_the_machine_s_restart_rings_nobody(file: Path) -> None:
    told: list[Fact] = []
    before = PressBook(told.append, file, boot_id=lambda: "yesterday")
    before.rings(WALK, "")
    after = PressBook(told.append, file, boot_id=lambda: "today")
    assert after.resume(50.0) is None
    assert isinstance(told[-1], CutOff)
    assert not file.exists()


def test_a_press_keeps_its_id_and_its_count_over_a_restart(file: Path) -> None:
    told: list[Fact] = []
    before = PressBook(told.append, file)
    ring = before.rings(WALK, "Office")
    before.again("the house rings already")
    after = PressBook(told.append, file)
    walk = after.resume(50.0)
    assert walk is not None and walk.ends_at == 100.0
    assert after.rings(walk, "Office") == ring
    assert told[-1] == Pressed(HOUSE, presses=2, button="Office", ring=ring)


NONSENSE = (b"", b"{", b"[]", b'{"ring": 1}', b"\xff", b'{"ring":"a","walk":{"steps":[],"at":-1,"ends_at":1,"why":""}}')


@pytest.mark.parametrize("content", NONSENSE)
def test_a_file_that_cannot_be_read_rings_nobody(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    told: list[Fact] = []
    assert PressBook(told.append, file).resume(50.0) is None
    assert told == []


def test_a_press_with_a_deadline_beyond_the_ring_time_rings_nobody(file: Path) -> None:
    told: list[Fact] = []
    PressBook(told.append, file).rings(Walk.begun((Step((HOUSE,), 60.0),), now=1e9), "")
    assert PressBook(told.append, file).resume(50.0) is None


def test_a_place_that_cannot_be_written_costs_no_ring(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    told: list[Fact] = []
    assert PressBook(told.append, tmp_path / "nowhere" / "press.json").rings(WALK, "")
    assert "A restart would lose the press" in caplog.text


def test_the_press_is_kept_in_memory_where_there_is_a_place(tmp_path: Path) -> None:
    assert press_file(tmp_path, {"RUNTIME_DIRECTORY": "/run/intercom"}) == Path("/run/intercom/press.json")
    assert press_file(tmp_path, {}) == tmp_path / "press.json"


def test_the_file_holds_nothing_but_the_press(file: Path) -> None:
    PressBook(lambda _: None, file).rings(WALK, "")
    import msgspec

    kept = msgspec.json.decode(file.read_bytes(), type=KeptPress)
    assert (kept.walk, kept.boot_id) == (WALK, BOOT_ID.read_text().strip())


# -- presses that change nothing -----------------------------------------------------------------------


def test_twenty_presses_in_ten_seconds_are_one_call_and_each_is_told(doors: Doors) -> None:
    door = doors.door
    for _ in range(20):
        door.press()
        door.wait(0.5)
    assert door.service.dialled == 1
    facts = [fact for fact in door.journal.facts if isinstance(fact, Pressed | PressedAgain)]
    assert [type(fact) for fact in facts] == [Pressed, *[PressedAgain] * 19]


def test_presses_while_the_service_is_away_are_one_call_and_counted(doors: Doors) -> None:
    door = doors.door
    door.loses_service()
    for _ in range(3):
        door.press()
    doors.registers()
    assert door.service.dialled == 1
    assert [fact.presses for fact in door.journal.facts if isinstance(fact, Pressed)] == [3]


def test_presses_that_reached_nobody_are_counted(doors: Doors) -> None:
    door = doors.door
    door.loses_service()
    door.press()
    door.press()
    door.wait(61)
    assert [fact.presses for fact in door.journal.facts if isinstance(fact, Unreached)] == [2]


# -- the door opened by another way --------------------------------------------------------------------


def test_an_opening_while_the_house_rings_ends_the_ringing(doors: Doors) -> None:
    door = doors.door
    call = door.ring()
    door.opened_by("ssh anna (intercom)")
    door.wait(1)
    assert (door.phase, door.journal.causes) == (Phase.NONE, ["PICKED_OFF"])
    assert call.told == [{"door": "open", "by": "anna"}]
    assert door.feedback.failures == []


def test_an_opening_while_the_door_still_looks_for_the_house_ends_that(doors: Doors) -> None:
    door = doors.door
    door.loses_service()
    door.press()
    door.opened_by("anna")
    doors.registers()
    assert door.service.dialled == 0
    assert door.journal.unreached_calls == [(HOUSE, "PICKED_OFF")]


def test_an_opening_in_a_call_leaves_the_call_and_says_who_opened(doors: Doors) -> None:
    door = doors.door
    call = door.talk()
    door.opened_by("/private/anna")
    door.now(lambda: door.plan.door_changed(True))
    door.wait(1)
    assert (door.phase, call.told) == (Phase.ACTIVE, [{"door": "open", "by": "/private/anna"}])


def test_a_ring_whose_service_is_lost_shows_the_visitor_that_the_door_looks_for_it(doors: Doors) -> None:
    door = doors.door
    door.ring()
    door.loses_service()
    door.now(door.plan.unregistered)
    assert door.feedback.is_trying
    door.has_service_again(resumed=True)
    door.wait(1)
    assert (door.feedback.is_trying, door.phase) == (False, Phase.RINGING_OUT)
