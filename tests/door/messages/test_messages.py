"""When a visitor is asked for a message, when nothing is recorded, and what is kept."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercom.door.messages import messages as module
from intercom.door.messages.delivery import Delivery
from intercom.door.messages.messages import Messages
from intercom.facts import (
    OPENED,
    CallBegan,
    CallIdentity,
    DoorOpened,
    Ended,
    Fact,
    FaultBegan,
    MessageLeft,
    Pressed,
    PressWaits,
    Replied,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.media.recording.recorder import Recorded, Write
from intercom.message_files import MessageFiles
from tests.media.recording.film import film

LIMIT_S = 60.0
RING = "0b9c6a52-ring"
OUT = CallIdentity("call-1", "outbound", "/private/house")
IN = CallIdentity("call-2", "inbound", "/private/anna")


class Film:
    """A recording that is a film of two seconds, as soon as it is ended."""

    heard = True
    fails: OSError | None = None

    def __init__(self) -> None:
        self.began = asyncio.Event()
        self.written = asyncio.Event()
        self.ended = asyncio.Event()
        self.closed = False

    def end(self) -> None:
        self.ended.set()

    async def run(self, write: Write) -> Recorded:
        self.began.set()
        for number, part in enumerate(film(2)):
            await asyncio.to_thread(write, part)
            if number and self.fails:
                raise self.fails
        self.written.set()
        await self.ended.wait()
        return Recorded(2.0, self.heard)

    async def close(self) -> None:
        self.closed = True


class Visitor:
    """A visitor at a door: what they are asked, shown and told, and what is kept of them."""

    def __init__(self, directory: Path, *, wanted: bool = True) -> None:
        self.films: list[Film] = []
        self.film: Callable[[], Film] = Film
        self.why_not = ""
        self.asked = asyncio.Event()
        self.asks = 0
        self.is_shown = False
        self.failures: list[str] = []
        self.facts: list[Fact] = []
        self.defects: list[Exception] = []
        self.room = 10**9
        self.begins, self.disk = threading.Event(), threading.Event()
        self.disk.set()
        files = MessageFiles(directory, keep_days=9, most_bytes=10**8, free_bytes=self._free_bytes)
        self.messages = Messages(
            files,
            Delivery(files, object()),
            wanted=wanted,
            record=self._record,
            why_not=lambda: self.why_not,
            feedback=self,
            tell=self.facts.append,
            on_defect=self.defects.append,
        )

    def _record(self) -> Film:
        self.films.append(self.film())
        return self.films[-1]

    def _free_bytes(self, _: Path) -> int:
        """Begin a file, and wait for the disk."""
        self.begins.set()
        self.disk.wait(LIMIT_S)
        return self.room

    # -- the door's feedback ---------------------------------------------------------------------------

    def message(self, on: bool) -> None:
        self.is_shown = on

    async def ask_for_message(self) -> bool:
        self.asks += 1
        await self.asked.wait()
        return True

    def failed(self, cause: str) -> None:
        self.failures.append(cause)

    # -- what happens ----------------------------------------------------------------------------------

    def tells(self, *facts: Fact) -> None:
        for fact in facts:
            self.messages.take(Entry(1, datetime.now(UTC), 0.0, fact))

    def presses(self) -> None:
        """Press, and the house rings."""
        assert not self.messages.pressed()
        self.tells(Pressed("/private/house", ring=RING), CallBegan(OUT))

    async def speaks(self) -> Film:
        """Ring out, hear the question, and speak."""
        self.presses()
        self.tells(Ended(OUT, "NO_ANSWER", answered=False))
        self.asked.set()
        await self.until(lambda: bool(self.films))
        await asyncio.wait_for(self.films[-1].written.wait(), LIMIT_S)
        return self.films[-1]

    async def until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(LIMIT_S):
            while not holds():
                await asyncio.sleep(0.005)

    async def over(self) -> None:
        await self.until(lambda: not self.messages.takes)
        await self.until(lambda: not len(self.messages._tasks))
        assert not self.is_shown
        assert all(one.closed for one in self.films)
        assert self.messages.files.all(whole=False) == []
        assert self.defects == []

    @property
    def kept(self) -> list[str]:
        return [message.id for message in self.messages.files.all()]


@pytest.fixture
async def visitor(tmp_path: Path) -> AsyncIterator[Visitor]:
    visitor = Visitor(tmp_path)
    yield visitor
    await visitor.messages.stop()


async def test_a_visitor_whom_nobody_answers_leaves_a_message_and_ends_it_with_the_button(visitor: Visitor) -> None:
    film = await visitor.speaks()
    assert visitor.is_shown
    assert visitor.messages.pressed(), "the press ends the message and rings nobody"
    await visitor.over()
    assert film.ended.is_set()
    assert visitor.kept == [RING]
    assert visitor.facts == [MessageLeft(RING, 2)]
    assert not visitor.messages.pressed(), "the next press rings"


@pytest.mark.parametrize("cause", ["NO_ANSWER", "USER_BUSY", "CALL_REJECTED", "NORMAL_TEMPORARY_FAILURE"])
async def test_it_does_not_matter_why_nobody_answers(visitor: Visitor, cause: str) -> None:
    visitor.presses()
    visitor.tells(Ended(OUT, cause, answered=False))
    await visitor.until(lambda: visitor.asks == 1)


async def test_a_visitor_whose_press_reached_no_house_is_asked_too(visitor: Visitor) -> None:
    visitor.tells(PressWaits("the house cannot be reached yet", RING), Unreached("/private/house", "NO_ANSWER"))
    await visitor.until(lambda: visitor.asks == 1)


@pytest.mark.parametrize(
    "end",
    [
        Ended(OUT, "NORMAL_CLEARING", answered=True),
        Ended(OUT, "ORIGINATOR_CANCEL", answered=False),
        Ended(OUT, OPENED, answered=False),
        Ended(IN, "NO_ANSWER", answered=False),
    ],
)
async def test_nobody_is_asked_who_was_answered_or_let_in_or_has_gone(visitor: Visitor, end: Ended) -> None:
    visitor.presses()
    visitor.tells(end)
    await visitor.over()
    assert visitor.asks == 0


async def test_the_street_is_not_recorded_when_a_command_called(visitor: Visitor) -> None:
    called = Pressed("/private/house", ring=RING, visitor=False)
    visitor.tells(called, CallBegan(OUT), Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.over()
    assert visitor.asks == 0


async def test_a_press_that_waited_is_still_the_visitor_s_when_it_rings(visitor: Visitor) -> None:
    visitor.tells(PressWaits("no service", RING), Pressed("/private/house", ring=RING))
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.until(lambda: visitor.asks == 1)


async def test_a_visitor_to_whom_the_house_replied_while_the_press_waited_is_not_asked(visitor: Visitor) -> None:
    visitor.tells(PressWaits("no service", RING), Replied("I am coming.", "Anna"), Pressed("/private/house", ring=RING))
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.over()
    assert visitor.asks == 0


async def test_nobody_is_asked_where_the_owner_does_not_want_it(tmp_path: Path) -> None:
    visitor = Visitor(tmp_path, wanted=False)
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.over()
    assert visitor.asks == 0
    assert not visitor.is_shown


async def test_nothing_is_recorded_before_the_visitor_was_asked(visitor: Visitor) -> None:
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.until(lambda: visitor.asks == 1)
    await asyncio.sleep(0.05)
    assert visitor.is_shown
    assert not visitor.films[0].began.is_set()
    assert visitor.messages.files.all(whole=False)[0].bytes == 0


@pytest.mark.parametrize("sign", [CallBegan(IN), DoorOpened("Anna"), Pressed("/private/house", ring="other")])
async def test_whatever_begins_while_the_visitor_is_asked_takes_the_message_s_place(
    visitor: Visitor, sign: Fact
) -> None:
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.until(lambda: visitor.asks == 1)
    visitor.tells(sign)
    await visitor.over()
    assert not visitor.films[0].began.is_set()
    assert visitor.kept == []


async def test_a_sign_in_the_instant_in_which_nobody_answered_leaves_no_light(visitor: Visitor) -> None:
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False), DoorOpened("Anna"))
    await visitor.over()
    assert visitor.asks == 0


async def test_a_message_that_gives_way_while_its_file_is_made_leaves_none_behind(visitor: Visitor) -> None:
    visitor.disk.clear()
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.until(visitor.begins.is_set)
    visitor.tells(DoorOpened("Anna"))
    await visitor.until(lambda: not visitor.is_shown)
    visitor.disk.set()
    await visitor.over()
    assert visitor.asks == 0


@pytest.mark.parametrize("sign", [CallBegan(IN), DoorOpened("Anna"), FaultBegan("microphone", "it was unplugged")])
async def test_whatever_begins_while_the_visitor_speaks_ends_the_message_and_keeps_it(
    visitor: Visitor, sign: Fact
) -> None:
    await visitor.speaks()
    visitor.tells(sign)
    await visitor.over()
    assert visitor.kept == [RING]


async def test_a_door_that_stops_keeps_what_was_said(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STOP_S", LIMIT_S)  # a busy disk takes longer than a door may
    await visitor.speaks()
    await visitor.messages.stop()
    await visitor.over()
    assert visitor.kept == [RING]


async def test_a_door_whose_disk_takes_longer_than_its_stop_keeps_what_was_said_too(
    visitor: Visitor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "STOP_S", 0.0)
    await visitor.speaks()
    await visitor.messages.stop()
    after = Visitor(tmp_path)
    running = asyncio.create_task(after.messages.run())
    await after.until(lambda: after.kept == [RING])
    running.cancel()


async def test_a_visitor_whose_ringing_a_stop_of_the_door_ends_is_asked_for_nothing(visitor: Visitor) -> None:
    visitor.presses()
    await visitor.messages.stop()
    visitor.tells(Ended(OUT, "NORMAL_TEMPORARY_FAILURE", answered=False))
    await visitor.over()
    assert visitor.asks == 0


async def test_a_visitor_who_says_nothing_leaves_nothing(visitor: Visitor) -> None:
    class Silent(Film):
        heard = False

    visitor.film = Silent
    film = await visitor.speaks()
    film.end()
    await visitor.over()
    assert visitor.kept == []
    assert visitor.facts == []


async def test_nobody_is_asked_at_a_door_that_is_deaf_or_dumb(visitor: Visitor) -> None:
    visitor.why_not = "the sound does not work"
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.over()
    assert visitor.asks == 0


async def test_a_full_disk_costs_the_message_and_the_visitor_is_told_that_nobody_answers(visitor: Visitor) -> None:
    visitor.room = 0
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    await visitor.over()
    assert visitor.asks == 0
    assert visitor.failures == ["NO_ANSWER"]


async def test_a_disk_that_fills_up_keeps_what_was_written(visitor: Visitor) -> None:
    class Broken(Film):
        fails = OSError(28, "No space left on device")

    visitor.film = Broken
    visitor.presses()
    visitor.tells(Ended(OUT, "NO_ANSWER", answered=False))
    visitor.asked.set()
    await visitor.over()
    assert visitor.kept == [RING]
    assert visitor.facts == [MessageLeft(RING, 1)]


async def test_what_a_power_cut_left_is_kept_at_the_next_start(tmp_path: Path) -> None:
    before = MessageFiles(tmp_path, keep_days=9, most_bytes=10**8)
    head, first, second = film(2)
    before.append(before.begin("cut-off"), head + first + second[: len(second) // 2])
    before.begin("nothing-said")
    visitor = Visitor(tmp_path)
    running = asyncio.create_task(visitor.messages.run())
    await visitor.until(lambda: visitor.facts == [MessageLeft("cut-off", 1)])
    await visitor.until(lambda: visitor.messages.files.all(whole=False) == [])
    running.cancel()
    assert visitor.kept == ["cut-off"]
