"""Somebody who is no device of the house, or none any more, wants to know who rings there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.space import Membership
from tests.space.conftest import WAIT_S
from tests.space.visitors.front import JPEG, PAGE, Front, front

READS = [("GET", "?limit=10"), ("GET", "/1/picture"), ("DELETE", "/1"), ("DELETE", "?until=9"), ("GET", "")]


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Front]:
    """A house with one visitor, whose picture it keeps."""
    async with front(tmp_path / "state") as running:
        call = await running.press()
        await running.show(call)
        await running.give_up(call)
        (one,) = (await running.told("given_up", picture=True))["visitors"]
        assert one["id"] == 1
        yield running


async def sees_nothing(home: Front, status: int, headers: dict[str, str]) -> None:
    """Try every route; each is refused, and the visitor is there as before."""
    for method, path in READS:
        said, body = await home.ask(method, path, headers)
        assert said == status, (method, path)
        assert JPEG not in body
        assert b"Front door" not in body
    (one,) = (await home.list())["visitors"]
    assert one["picture"]


@pytest.mark.parametrize("says", [{}, {"Authorization": "Bearer guessed"}, {"Cookie": "device=guessed"}])
async def test_a_stranger_is_refused(home: Front, says: dict[str, str]) -> None:
    await sees_nothing(home, 401, says)


async def test_a_page_of_another_site_is_refused_with_the_residents_own_secret(home: Front) -> None:
    port = home.house.space.port
    for site in ("https://evil.example", f"https://localhost:{port}", f"http://evil.example:{port}", "null"):
        await sees_nothing(home, 403, {**home.headers, "Origin": site})


async def test_a_doors_credential_reads_no_visitor_not_even_its_own(home: Front) -> None:
    store = home.house.space.store
    door = store.subscriber("door")
    assert door is not None
    await sees_nothing(home, 403, {"Authorization": f"Bearer {store.add_device(door, 'Front door')}"})


async def test_an_access_token_is_no_devices_secret(home: Front) -> None:
    await sees_nothing(home, 401, {"Authorization": f"Bearer {home.house.token('anna')}"})


async def test_a_device_that_was_removed_is_refused_and_told_nothing_more(home: Front, tmp_path: Path) -> None:
    store = home.house.space.store
    ben = store.add_subscriber("ben", "Ben", groups=("house",))
    headers = {"Authorization": f"Bearer {store.add_device(ben, 'Ben')}"}
    page = await home.house.join("ben", agent=PAGE)
    assert (await home.ask("GET", "?limit=1", headers))[0] == 200
    with Membership(tmp_path / "state") as members:
        members.remove("ben")
    async with asyncio.timeout(WAIT_S):
        await page.reader  # the space closes its socket
    await sees_nothing(home, 401, headers)
    while not page.room_events.empty():
        page.room_events.get_nowait()
    await home.give_up(await home.press("second"))
    await home.told("given_up")
    assert page.room_events.empty()


async def test_the_secret_of_another_house_reads_nothing_here(home: Front, tmp_path: Path) -> None:
    async with front(tmp_path / "another") as other:
        await sees_nothing(home, 401, other.headers)
        found: dict[str, Any] = await other.list()
    assert (found["visitors"], found["total"]) == ([], 0)


async def test_an_application_of_the_space_and_a_foreign_client_are_not_told(home: Front) -> None:
    foreign = await home.house.station("tablet", agent="signalwire-js/4.0.0")
    await home.give_up(await home.press("second"))
    await home.told("given_up")
    await foreign.rpc("signalwire.ping")
    kinds = [foreign.room_events.get_nowait()["event_type"] for _ in range(foreign.room_events.qsize())]
    assert "intercom.visitors" not in kinds


@pytest.mark.parametrize(
    "path", ["/-1/picture", "/1%20or%201/picture", "/9999999999999999/picture", "/..%2f..%2f/picture"]
)
async def test_a_number_that_is_none_names_no_picture(home: Front, path: str) -> None:
    assert (await home.ask("GET", path))[0] == 404
