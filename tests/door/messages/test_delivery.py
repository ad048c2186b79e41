"""Messages on their way to the space: over an outage, over a restart, and with a space that takes none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from intercom.door.messages.delivery import Delivery
from intercom.facts import MessageLeft, RegistrationChanged
from intercom.history.journal import Entry
from intercom.message_files import PIECE_BYTES, MessageFiles
from intercom.signalwire.errors import HttpError

LIMIT_S = 60.0


class Space:
    """A space that takes what it is sent, or does not."""

    def __init__(self) -> None:
        self.have: dict[str, bytes] = {}
        self.asked = 0
        self.fails: Callable[[str], Exception | None] = lambda _: None

    async def ask(self, method: str, path: str, *, data: bytes = b"") -> Any:
        assert method == "POST"
        self.asked += 1
        parts = urlsplit(path)
        name = parts.path.removeprefix("/api/space/messages/")
        if (error := self.fails(name)) is not None:
            raise error
        asked = {key: int(value[0]) for key, value in parse_qs(parts.query).items()}
        have = self.have.setdefault(name, b"")
        if asked["at"] == len(have):
            self.have[name] = have + data
        assert len(self.have[name]) <= asked["bytes"]
        return {"have": len(self.have[name])}


@pytest.fixture
def files(tmp_path: Path) -> MessageFiles:
    return MessageFiles(tmp_path, keep_days=9, most_bytes=10**8)


def left(files: MessageFiles, name: str, data: bytes) -> None:
    files.finish(files.append(files.begin(name), data), seconds=3)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():
            await asyncio.sleep(0.005)


async def runs(delivery: Delivery, holds: Callable[[], bool]) -> None:
    running = asyncio.create_task(delivery.run())
    try:
        await until(holds)
    finally:
        running.cancel()


LONG = bytes(range(256)) * (2 * PIECE_BYTES // 256) + b"the end"


async def test_the_space_gets_every_byte_and_the_door_keeps_none(files: MessageFiles) -> None:
    space = Space()
    left(files, "ring-1", LONG)
    left(files, "ring-2", b"short")
    await runs(Delivery(files, space), lambda: files.all() == [])
    assert space.have == {"ring-1": LONG, "ring-2": b"short"}


async def test_the_status_counts_what_is_unsent_until_the_space_has_it(files: MessageFiles) -> None:
    left(files, "press-1", b"film")
    space = Space()
    delivery = Delivery(files, space)
    files.forget()
    assert (files.count, delivery.sends) == (1, True)
    await runs(delivery, lambda: not files.all())
    assert files.count == 0


async def test_an_outage_costs_a_piece_and_no_message(files: MessageFiles) -> None:
    space = Space()
    left(files, "ring-1", LONG)
    failures = iter([None, None, HttpError("no answer"), None, HttpError("busy", status=503)])
    space.fails = lambda _: next(failures, None)
    await runs(Delivery(files, space, retry_s=0.01), lambda: files.all() == [])
    assert space.have == {"ring-1": LONG}


async def test_a_registration_hurries_what_waits(files: MessageFiles) -> None:
    space = Space()
    left(files, "ring-1", LONG)
    space.fails = lambda _: HttpError("no answer")
    delivery = Delivery(files, space)
    running = asyncio.create_task(delivery.run())
    await until(lambda: space.asked == 1)
    space.fails = lambda _: None
    delivery.take(Entry(1, datetime.now(UTC), 0.0, RegistrationChanged(registered=True)))
    await until(lambda: files.all() == [])
    left(files, "ring-2", b"short")
    delivery.take(Entry(2, datetime.now(UTC), 0.0, MessageLeft("ring-2", 3)))
    await until(lambda: files.all() == [])
    running.cancel()


async def test_a_message_that_the_space_refuses_holds_up_no_other(files: MessageFiles) -> None:
    space = Space()
    left(files, "ring-1", b"bad")
    left(files, "ring-2", b"good")
    space.fails = lambda name: HttpError("no", status=422) if name == "ring-1" else None
    await runs(Delivery(files, space), lambda: [one.id for one in files.all()] == ["ring-1"])
    assert space.have == {"ring-2": b"good"}


async def test_a_house_that_keeps_no_messages_leaves_them_at_the_door(files: MessageFiles) -> None:
    space = Space()
    left(files, "ring-1", b"one")
    left(files, "ring-2", b"two")
    space.fails = lambda _: HttpError("this house keeps no messages", status=403)
    await runs(Delivery(files, space), lambda: space.asked == 1)
    assert len(files.all()) == 2


@pytest.mark.parametrize("answer", [None, [], {"have": "all"}, {"have": 99}, {"have": -1}, {}])
async def test_an_answer_that_says_nothing_loses_nothing(files: MessageFiles, answer: Any) -> None:
    class Odd(Space):
        async def ask(self, method: str, path: str, *, data: bytes = b"") -> Any:
            self.asked += 1
            return answer

    space = Odd()
    left(files, "ring-1", b"one")
    await runs(Delivery(files, space), lambda: space.asked >= 1)
    assert [one.id for one in files.all()] == ["ring-1"]


async def test_without_a_space_nothing_is_sent_and_nothing_runs(files: MessageFiles) -> None:
    left(files, "ring-1", b"one")
    await asyncio.wait_for(Delivery(files, object()).run(), LIMIT_S)
    assert [one.id for one in files.all()] == ["ring-1"]
