"""Visitors' messages are for the house alone: who may bring one, who may hear one, and what none of them can name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import HistoryConfig, SpaceConfig
from intercom.message_files import MOST_BYTES, PIECE_BYTES
from intercom.space import Space
from tests.space.conftest import House
from tests.space.messages.test_message_api import RING, Keeping, bearer


@pytest.fixture
async def keeping(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[Keeping]:
    """A house that keeps messages, and has one."""
    space = Space(configure(), tmp_path / "state", history=HistoryConfig(messages=True))
    await space.start()
    async with aiohttp.ClientSession() as http:
        keeping = Keeping(House(space, http))
        await keeping.brings_all()
        yield keeping
    await space.stop()


@pytest.fixture
def configure() -> Callable[..., SpaceConfig]:
    return lambda **settings: SpaceConfig(**{"listen": "127.0.0.1:0", **settings})


def kept(keeping: Keeping) -> list[str]:
    return sorted(path.name for path in (keeping.house.space._state_dir / "messages").iterdir())


async def asks(keeping: Keeping, method: str, path: str, headers: dict[str, str]) -> int:
    async with keeping.house.http.request(method, keeping.url + path, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize("secret", ["", "guessed", "x" * 5000])
async def test_a_stranger_neither_hears_nor_brings_nor_deletes_a_message(keeping: Keeping, secret: str) -> None:
    stranger = bearer(secret) if secret else {}
    before = kept(keeping)
    assert await asks(keeping, "GET", "", stranger) == 401
    assert await asks(keeping, "GET", f"/door/{RING}", stranger) == 401
    assert await asks(keeping, "DELETE", f"/door/{RING}", stranger) == 401
    assert (await keeping.brings(b"x", ring="other", headers=stranger))[0] == 401
    assert kept(keeping) == before


async def test_a_door_whose_card_was_stolen_hears_no_message(keeping: Keeping) -> None:
    assert await asks(keeping, "GET", "", keeping.door) == 403
    assert await asks(keeping, "GET", f"/door/{RING}", keeping.door) == 403
    assert await asks(keeping, "DELETE", f"/door/{RING}", keeping.door) == 403


async def test_a_phone_brings_no_message_in_a_visitor_s_name(keeping: Keeping) -> None:
    before = kept(keeping)
    assert (await keeping.brings(b"x", ring="other", headers=keeping.phone))[0] == 403
    assert kept(keeping) == before


async def test_one_door_does_not_change_another_s_message(keeping: Keeping) -> None:
    store = keeping.house.space.store
    other = bearer(store.add_device(store.add_subscriber("garage", "Garage", kind="door"), "Garage"))
    assert await keeping.brings(b"", headers=other) == (200, {"have": 0})
    assert [one["door"] for one in await keeping.list()] == ["door"]


@pytest.mark.parametrize(
    "about",
    [
        {"data": b"x" * (PIECE_BYTES + 1)},
        {"bytes": MOST_BYTES + 1},
        {"bytes": -1},
        {"at": -1},
        {"at": "zero"},
        {"seconds": 10**9},
        {"began_at": 10**30},
        {"ring": "a" * 65},
        {"ring": "%2e%2e"},
        {"ring": "..%2f..%2fspace"},
        {"ring": "ring_1"},
        {"ring": "ring%00"},
    ],
)
async def test_what_is_too_much_or_names_another_file_is_refused(keeping: Keeping, about: dict[str, Any]) -> None:
    before = kept(keeping)
    status, _ = await keeping.brings(**{"data": b"x", "ring": "other", **about})
    assert status in {404, 405, 422}
    assert kept(keeping) == before


@pytest.mark.parametrize(
    "path",
    ["/door/..%2f..%2fspace.sqlite3", "/..%2f/space.sqlite3", "/%2e%2e/space.sqlite3", "/door/*", "//etc/passwd"],
)
async def test_no_path_leads_out_of_the_messages(keeping: Keeping, path: str) -> None:
    assert await asks(keeping, "GET", path, keeping.phone) in {404, 405}
    await asks(keeping, "DELETE", path, keeping.phone)
    assert (keeping.house.space._state_dir / "space.sqlite3").exists()
    assert len(await keeping.list()) == 1


async def test_a_door_that_sends_more_than_it_said_adds_nothing(keeping: Keeping) -> None:
    assert await keeping.brings(b"x" * 20, ring="other", bytes=10) == (200, {"have": 0})


async def test_another_site_s_page_does_not_read_a_message(keeping: Keeping) -> None:
    headers = {**keeping.phone, "Origin": "https://evil.example"}
    assert await asks(keeping, "GET", f"/door/{RING}", headers) == 403
