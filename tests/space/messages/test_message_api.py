"""A door brings a message in pieces; the residents hear of it, fetch it, in ranges, and delete it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import HistoryConfig, SpaceConfig
from intercom.message_files import PIECE_BYTES
from intercom.space import Space
from tests.space.conftest import WAIT_S, Client, House

RING = "0b9c6a52-b0b1"
BEGAN_AT = int(time.time()) - 60
FILM = bytes(range(256)) * (PIECE_BYTES // 256) + b"and the end of it"


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


class Keeping:
    """A house that keeps messages, its door and a phone."""

    def __init__(self, house: House) -> None:
        self.house = house
        store = house.space.store
        self.door = bearer(store.add_device(store.add_subscriber("door", "Front door", kind="door"), "Front door"))
        self.phone = bearer(store.add_device(store.add_subscriber("phone", groups=("house",)), "Phone"))
        self.url = house.space.url + "/api/space/messages"

    async def brings(
        self, data: bytes = FILM, at: int = 0, *, ring: str = RING, headers: dict[str, str] | None = None, **about: Any
    ) -> tuple[int, Any]:
        """Bring one piece; return the status and the answer."""
        query = {"began_at": BEGAN_AT, "seconds": 3, "bytes": len(FILM), "at": at, **about}
        url = f"{self.url}/{ring}"
        headers = self.door if headers is None else headers
        async with self.house.http.post(url, params=query, data=data, headers=headers) as answer:
            return answer.status, (await answer.json() if answer.content_type == "application/json" else None)

    async def brings_all(self, ring: str = RING) -> None:
        """Bring a whole message."""
        assert await self.brings(FILM[:PIECE_BYTES], ring=ring) == (200, {"have": PIECE_BYTES})
        assert await self.brings(FILM[PIECE_BYTES:], PIECE_BYTES, ring=ring) == (200, {"have": len(FILM)})

    async def list(self) -> list[dict[str, Any]]:
        """What the phone is told that there is."""
        async with self.house.http.get(self.url, headers=self.phone) as answer:
            assert answer.status == 200
            listed: list[dict[str, Any]] = (await answer.json())["messages"]
            return listed

    async def fetches(self, path: str = f"/door/{RING}", **headers: str) -> tuple[int, bytes, aiohttp.ClientResponse]:
        async with self.house.http.get(self.url + path, headers={**self.phone, **headers}) as answer:
            return answer.status, await answer.read(), answer

    async def deletes(self, path: str = f"/door/{RING}") -> int:
        async with self.house.http.delete(self.url + path, headers=self.phone) as answer:
            return answer.status


@contextlib.asynccontextmanager
async def kept_by(config: SpaceConfig, directory: Path, history: HistoryConfig) -> AsyncIterator[Keeping]:
    """A space that keeps what `history` allows, in this directory."""
    space = Space(config, directory / "state", history=history)
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        try:
            yield Keeping(house)
        finally:
            for client in house.clients:
                await client.close()
            await space.stop()


@pytest.fixture
async def keeping(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[Keeping]:
    async with kept_by(configure(), tmp_path, HistoryConfig(messages=True)) as keeping:
        yield keeping


async def test_a_message_is_there_when_its_last_piece_is(keeping: Keeping) -> None:
    assert await keeping.brings(b"") == (200, {"have": 0})
    assert await keeping.brings(FILM[:PIECE_BYTES]) == (200, {"have": PIECE_BYTES})
    assert await keeping.list() == []
    assert (await keeping.fetches())[0] == 404
    assert await keeping.brings(FILM[PIECE_BYTES:], PIECE_BYTES) == (200, {"have": len(FILM)})
    (listed,) = await keeping.list()
    assert listed == {
        "id": RING,
        "door": "door",
        "ring": f"door/{RING}",
        "began_at": BEGAN_AT,
        "seconds": 3,
        "bytes": len(FILM),
    }
    status, film, answer = await keeping.fetches()
    assert (status, film) == (200, FILM)
    assert answer.headers["Content-Type"] == "video/mp4"
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_piece_that_came_before_or_comes_too_early_is_not_added(keeping: Keeping) -> None:
    await keeping.brings(FILM[:PIECE_BYTES])
    assert await keeping.brings(FILM[:PIECE_BYTES]) == (200, {"have": PIECE_BYTES})
    assert await keeping.brings(b"end", PIECE_BYTES + 5) == (200, {"have": PIECE_BYTES})
    assert await keeping.brings(FILM[PIECE_BYTES:], PIECE_BYTES) == (200, {"have": len(FILM)})
    assert await keeping.brings(FILM[PIECE_BYTES:], PIECE_BYTES) == (200, {"have": len(FILM)})
    assert (await keeping.fetches())[1] == FILM


async def test_a_message_in_pieces_outlasts_a_restart_of_the_space(keeping: Keeping, tmp_path: Path) -> None:
    await keeping.brings(FILM[:PIECE_BYTES])
    again = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "state", history=HistoryConfig(messages=True))
    await again.start()
    keeping.url = again.url + "/api/space/messages"
    try:
        assert await keeping.brings(b"") == (200, {"have": PIECE_BYTES})
        assert await keeping.brings(FILM[PIECE_BYTES:], PIECE_BYTES) == (200, {"have": len(FILM)})
        assert (await keeping.fetches())[1] == FILM
    finally:
        await again.stop()


async def test_a_page_fetches_ranges(keeping: Keeping) -> None:
    await keeping.brings_all()
    status, part, answer = await keeping.fetches(Range="bytes=100-199")
    assert (status, part) == (206, FILM[100:200])
    assert answer.headers["Content-Range"] == f"bytes 100-199/{len(FILM)}"
    assert (await keeping.fetches(Range=f"bytes={len(FILM)}-"))[0] == 416


async def told_of_messages(page: Client) -> dict[str, Any]:
    """What a page is told next of messages: the list of visitors is written meanwhile, and told when that is done."""
    event: dict[str, Any] = {"event_type": ""}
    while event["event_type"] != "intercom.messages":
        event = await asyncio.wait_for(page.room_events.get(), WAIT_S)
    told: dict[str, Any] = event["params"]
    return told


async def test_one_tap_deletes_it_for_everybody_and_every_open_page_is_told(keeping: Keeping) -> None:
    page = await keeping.house.station("tablet", agent="station/1 rings/1")
    await keeping.brings_all()
    assert (await told_of_messages(page))["left"]["ring"] == f"door/{RING}"
    assert await keeping.deletes() == 200
    assert await told_of_messages(page) == {"gone": [f"door/{RING}"]}
    assert await keeping.list() == []
    assert (await keeping.fetches())[0] == 404
    assert await keeping.deletes() == 200
    assert list((keeping.house.space._state_dir / "messages").iterdir()) == []


async def test_a_door_that_begins_another_message_has_given_the_first_up(keeping: Keeping) -> None:
    await keeping.brings(FILM[:PIECE_BYTES], ring="first")
    await keeping.brings_all("second")
    assert [one["id"] for one in await keeping.list()] == ["second"]
    assert len(list((keeping.house.space._state_dir / "messages").iterdir())) == 1


async def test_a_house_that_does_not_want_messages_takes_none(house: House) -> None:
    keeping = Keeping(house)
    status, told = await keeping.brings(b"x")
    assert status == 403
    assert "history.messages" in told["error"]
    assert await keeping.list() == []


async def test_a_disk_without_room_costs_the_message_and_nothing_else(keeping: Keeping) -> None:
    keeping.house.space.messages.files._free_bytes = lambda _: 0
    assert (await keeping.brings(b"x"))[0] == 507
    assert await keeping.list() == []


async def test_a_door_whose_clock_is_years_behind_loses_no_message(keeping: Keeping) -> None:
    assert await keeping.brings(FILM[:PIECE_BYTES], began_at=1000) == (200, {"have": PIECE_BYTES})
    assert await keeping.brings(FILM[PIECE_BYTES:], PIECE_BYTES, began_at=1000) == (200, {"have": len(FILM)})
    (listed,) = await keeping.list()
    assert abs(listed["began_at"] - time.time()) < 600


async def test_a_message_goes_with_its_visitor_when_others_take_their_place(
    tmp_path: Path, configure: Callable[..., SpaceConfig]
) -> None:
    async with kept_by(configure(), tmp_path, HistoryConfig(messages=True, keep_calls=2)) as keeping:
        for ring in ("first", "second", "third"):
            await keeping.brings_all(ring)
        async with asyncio.timeout(WAIT_S):
            while {one["id"] for one in await keeping.list()} != {"second", "third"}:
                await asyncio.sleep(0.01)


async def test_no_message_stays_where_no_visitor_is_kept_any_more(
    tmp_path: Path, configure: Callable[..., SpaceConfig]
) -> None:
    async with kept_by(configure(), tmp_path, HistoryConfig(messages=True)) as keeping:
        await keeping.brings_all()
        await keeping.brings(FILM[:PIECE_BYTES], ring="half")
    async with kept_by(configure(), tmp_path, HistoryConfig(messages=True, keep_calls=0)) as keeping:
        async with asyncio.timeout(WAIT_S):
            while list((tmp_path / "state" / "messages").iterdir()):
                await asyncio.sleep(0.01)
        assert await keeping.list() == []
