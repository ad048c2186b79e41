"""A space that restarts while people talk: their call goes on, with everything that goes through the space."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.store.records import Subscriber
from intercom.space.switch.calls import call_snapshot
from intercom.space.switch.calls.call_snapshot import KeptCalls
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.sessions.sessions import LOST_LIMIT_S
from tests.space import switchboard
from tests.space.conftest import ANSWER, WAIT_S, Client, House
from tests.space.switchboard import OpenGate, Switchboard

Restart = Callable[[], Awaitable[House]]


@pytest.fixture
async def restart(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[Restart]:
    """Start a space in the same directory as the last one, which is stopped."""
    houses: list[House] = []
    async with aiohttp.ClientSession() as http:

        async def again() -> House:
            if houses:
                await houses[-1].space.stop()
            houses.append(House(Space(configure(), tmp_path / "state"), http))
            await houses[-1].space.start()
            return houses[-1]

        yield again
        for house in houses:
            for client in house.clients:
                await client.close()
        await houses[-1].space.stop()


async def talk(house: House) -> tuple[Client, str, Client, str]:
    door, kitchen = await house.join("door"), await house.join("kitchen")
    mine = await door.dial("/private/kitchen")
    theirs = await kitchen.ringing()
    await kitchen.verto("verto.answer", theirs, sdp=ANSWER)
    await door.heard("verto.answer")
    return door, mine, kitchen, theirs


async def back(house: House, client: Client) -> Client:
    again = await house.open()
    await again.connect(client.token, protocol=client.protocol, authorization_state=client.state)
    assert again.protocol == client.protocol
    return again


async def test_a_call_goes_on_when_the_space_restarts(restart: Restart) -> None:
    door, mine, kitchen, theirs = await talk(await restart())
    house = await restart()
    door, kitchen = await back(house, door), await back(house, kitchen)
    assert (await door.heard("verto.attach"))["callID"] == mine
    assert (await kitchen.heard("verto.attach"))["callID"] == theirs
    await kitchen.verto("verto.info", theirs, dtmf="9")
    assert (await door.heard("verto.info"))["dtmf"] == "9"
    await kitchen.verto("verto.bye", theirs)
    assert (await door.heard("verto.bye"))["callID"] == mine


async def test_a_hang_up_waits_for_an_end_that_is_not_back_yet(restart: Restart) -> None:
    door, mine, kitchen, theirs = await talk(await restart())
    house = await restart()
    kitchen = await back(house, kitchen)
    await kitchen.verto("verto.bye", theirs)
    door = await back(house, door)
    assert (await door.heard("verto.bye"))["callID"] == mine


async def test_a_call_that_was_over_stays_over(restart: Restart) -> None:
    door, mine, kitchen, _ = await talk(await restart())
    await door.verto("verto.bye", mine)
    await kitchen.heard("verto.bye")
    house = await restart()
    assert not len(house.space.exchange.control.calls)


async def test_a_crash_loses_no_call_that_was_written_down(restart: Restart, tmp_path: Path) -> None:
    house = await restart()
    await talk(house)
    file = tmp_path / "state" / "calls.json"
    async with asyncio.timeout(WAIT_S):
        while not file.exists():
            await asyncio.sleep(0.02)
    house.space._kept_calls.save = lambda: None  # type: ignore[method-assign]  # a crash saves nothing
    assert len((await restart()).space.exchange.control.calls) == 1


@pytest.mark.parametrize("content", [b"", b"[1]", b"\xff", b'[{"caller": {}}]'])
async def test_a_damaged_file_costs_the_calls_and_no_more(restart: Restart, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").mkdir(exist_ok=True)
    (tmp_path / "state" / "calls.json").write_bytes(content)
    house = await restart()
    assert not len(house.space.exchange.control.calls)


async def test_a_call_of_somebody_who_was_removed_meanwhile_is_not_taken_up(restart: Restart) -> None:
    house = await restart()
    await talk(house)
    house.space.store.remove_subscriber("kitchen")
    assert not len((await restart()).space.exchange.control.calls)


async def test_a_space_that_can_keep_no_calls_any_more_says_that_it_failed(
    restart: Restart, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.space.switch.calls.call_snapshot.LOOK_S", 0.01)
    house = await restart()

    def fail(_: object) -> None:
        raise RuntimeError("a defect of the keeper")

    monkeypatch.setattr("intercom.space.switch.calls.call_snapshot.KeptCalls._changed", fail)
    with pytest.raises(RuntimeError, match="a defect of the keeper"):
        await asyncio.wait_for(house.space.wait_failed(), WAIT_S)
    monkeypatch.undo()


async def test_pages_know_who_talks_with_the_door_after_a_restart_too(restart: Restart) -> None:
    house = await restart()
    house.space.store.add_subscriber("door", kind="door")
    door, mine, kitchen, _ = await talk(house)
    house = await restart()
    page = await house.open()
    await page.connect(house.token("kitchen"), agent="intercom-station/0.1 rings/1")
    await page.rpc("subscriber.online")
    told = (await asyncio.wait_for(page.room_events.get(), WAIT_S))["params"]
    assert [(ring["state"], ring["by"], ring["talking"]) for ring in told["rings"]] == [("answered", "kitchen", True)]
    door, kitchen = await back(house, door), await back(house, kitchen)
    await door.verto("verto.bye", mine)
    told = (await asyncio.wait_for(page.room_events.get(), WAIT_S))["params"]
    assert (told["state"], told["talking"]) == ("answered", False)


async def test_the_answer_to_a_door_is_kept_at_once(restart: Restart, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_snapshot, "LOOK_S", 10 * WAIT_S)
    house = await restart()
    house.space.store.add_subscriber("door", kind="door")
    await talk(house)
    async with asyncio.timeout(WAIT_S):
        while not house.space._kept_calls._path.exists():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("back", ["door", "kitchen"])
def test_an_end_that_does_not_come_back_to_a_restarted_space_leaves_the_other_alone_soon(
    tmp_path: Path, back: str
) -> None:
    before = Switchboard("door", "kitchen")
    before.call("door", "kitchen")
    KeptCalls(tmp_path / "calls.json", before.exchange, wall=lambda: 0.0).save()
    after = Switchboard()
    after.exchange = Exchange(
        OpenGate(("door", "kitchen")),
        switchboard.House(("door", "kitchen")),
        ice_servers=lambda *_: [],
        wall=lambda: 0.0,
    )
    kept = KeptCalls(tmp_path / "calls.json", after.exchange, wall=lambda: 0.0)
    assert kept.restore(lambda who: Subscriber(who, who, who), after.now) == 1
    after.wait(3)
    after.join(back, protocol=before.protocols[back], authorization_state=before.protocols[back])
    assert "verto.bye" not in after.methods(back)
    after.wait(LOST_LIMIT_S - 3)
    assert "verto.bye" in after.methods(back)
