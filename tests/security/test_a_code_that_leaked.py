"""Somebody photographs the pairing code, or reads it off a chat, and is quicker or slower than the owner's phone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest_asyncio

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.auth.pairing import CLAIM_S, CODE_LIFETIME_S
from tests.space.auth.test_doors_and_keys import bearer
from tests.space.conftest import Client, House

NOON = 1_800_000_000.0


class Clock:
    """The time of day, as a test sets it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


class Street:
    """A house, and who stands before it with a code."""

    def __init__(self, house: House, clock: Clock) -> None:
        self.house = house
        self.clock = clock
        self.code = house.space.invite().code

    async def pairs(self, name: str) -> tuple[int, dict[str, str]]:
        """Join by the code; return the answer."""
        url = self.house.space.url + "/api/space/pair"
        async with self.house.http.post(url, json={"code": self.code, "name": name}) as answer:
            return answer.status, (await answer.json() if answer.status in {201, 409} else {})

    async def gets_in(self, paired: dict[str, str]) -> Client:
        """Sign in at the socket as the page does."""
        url = self.house.space.url + "/api/space/token"
        async with self.house.http.post(url, headers=bearer(paired["device_secret"])) as answer:
            token = (await answer.json())["token"]
        client = await self.house.open()
        await client.connect(token)
        return client

    def members(self) -> list[str]:
        """Who can sign in."""
        return [device.name for device in self.house.space.store.devices()]


@pytest_asyncio.fixture
async def street(tmp_path: Path) -> AsyncIterator[Street]:
    """A house whose clock a test sets."""
    clock = Clock()
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path, wall=clock)
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        yield Street(house, clock)
        for client in house.clients:
            await client.close()
    await space.stop()


async def test_a_code_with_which_a_device_got_in_lets_nobody_else_in(street: Street) -> None:
    _, phone = await street.pairs("Phone")
    await street.gets_in(phone)
    assert (await street.pairs("Burglar"))[0] == 401
    street.clock.now += CLAIM_S
    assert (await street.pairs("Burglar"))[0] == 401
    assert street.members() == ["Phone"]


async def test_a_second_device_is_told_in_one_sentence_that_another_is_just_joining(street: Street) -> None:
    _, phone = await street.pairs("Phone")
    status, told = await street.pairs("Burglar")
    assert status == 409
    assert told == {"error": "Another device is just joining with this pairing code; try again in a minute."}
    assert street.members() == ["Phone"]
    await street.gets_in(phone)


async def test_a_device_that_never_got_in_leaves_the_code_to_the_next_and_has_nothing(street: Street) -> None:
    _, lost = await street.pairs("Lost")
    street.clock.now += CLAIM_S
    status, phone = await street.pairs("Phone")
    assert status == 201
    assert street.members() == ["Phone"]
    url = street.house.space.url + "/api/space/token"
    async with street.house.http.post(url, headers=bearer(lost["device_secret"])) as answer:
        assert answer.status == 401
    await street.gets_in(phone)
    assert (await street.pairs("Third"))[0] == 401


async def test_a_code_that_devices_claim_in_turn_is_worthless_after_its_ten_minutes(street: Street) -> None:
    for number in range(round(CODE_LIFETIME_S / CLAIM_S)):
        assert (await street.pairs(f"Phone {number}"))[0] == 201
        assert len(street.members()) == 1
        street.clock.now += CLAIM_S
    assert (await street.pairs("Late"))[0] == 401
