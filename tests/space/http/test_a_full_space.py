"""A space with as many members as it has room for: one more is told so in a sentence, and doors get in all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.space.http import connection_limits
from intercom.space.switch.replies import SESSIONS_EXCEEDED
from tests.space.conftest import House, house_with

RESIDENTS = 3


@pytest.fixture
async def full(
    tmp_path: Path, configure: Callable[..., SpaceConfig], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[House]:
    monkeypatch.setattr(connection_limits, "DOORS_RESERVE", 2)
    monkeypatch.setattr(connection_limits, "MEMBERS_LIMIT", RESIDENTS + 2)
    async with house_with(configure(), tmp_path / "state") as house:
        for number in range(RESIDENTS):
            await house.station(f"resident-{number}")
        yield house


async def test_a_resident_more_is_refused_in_one_sentence_and_nobody_is_pushed_out(full: House) -> None:
    late = await full.open()
    refused = (await late.connect(full.token("late")))["error"]
    assert refused["code"] == SESSIONS_EXCEEDED
    assert refused["message"] == (
        "This space is full: it has room for 3 members, and as many are connected; try again later."
    )
    for client in full.clients[:RESIDENTS]:
        assert "result" in await client.rpc("signalwire.ping")


async def test_a_resident_comes_in_once_another_has_left(full: House) -> None:
    late = await full.open()
    assert "error" in await late.connect(full.token("late"))
    await full.clients[0].close()
    while "error" in await late.connect(full.token("late")):
        late = await full.open()


async def test_a_door_comes_in_where_residents_find_no_room(full: House) -> None:
    full.space.store.add_subscriber("door", kind="door")
    door = await full.join("door")
    await door.dial("/private/house")
    for client in full.clients[:RESIDENTS]:
        await client.ringing()


async def test_a_resident_whose_socket_hangs_goes_on_at_another(full: House) -> None:
    first = full.clients[0]
    again = await full.open()
    resumed = await again.connect(first.token, protocol=first.protocol, authorization_state=first.state)
    assert resumed["result"]["protocol"] == first.protocol


async def test_a_resident_whose_line_broke_comes_back_although_another_has_its_place(full: House) -> None:
    first = full.clients[0]
    await first.close()
    late = await full.open()
    while "error" in await late.connect(full.token("late")):
        late = await full.open()
    again = await full.open()
    resumed = await again.connect(first.token, protocol=first.protocol, authorization_state=first.state)
    assert resumed["result"]["protocol"] == first.protocol
