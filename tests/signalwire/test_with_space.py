"""The client and the real embedded space, on a loopback port."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from intercom.config import SpaceConfig
from intercom.signalwire import AiortcMedia, CallError, FileStorage, RpcError, SignalWire, SpaceCredentials, WebRTCCall
from intercom.space import Space
from tests.ports import reserved_port
from tests.signalwire.media import ScriptedMedia

WAIT_S = 60.0


@pytest.fixture
async def space(tmp_path: Path) -> AsyncIterator[Space]:
    with reserved_port() as port:  # its own, also while it is away
        space = Space(SpaceConfig(listen=f"127.0.0.1:{port}"), tmp_path / "space")
        await space.start()
        for name in ("door", "kitchen"):
            space.enrol(name, name.title())
            space.write_credential(name, tmp_path / f"{name}.json")
        yield space
        await space.stop()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


class House:
    """A door and a kitchen that are registered with one space."""

    def __init__(self, tmp_path: Path) -> None:
        self.door_media, self.kitchen_media = ScriptedMedia(), ScriptedMedia()
        self.storage = FileStorage(tmp_path / "door-client.json")
        self.path = tmp_path
        self.door = self.new_door()
        self.kitchen = SignalWire(SpaceCredentials(tmp_path / "kitchen.json"), media=self.kitchen_media)

    def new_door(self) -> SignalWire:
        self.door_media = ScriptedMedia()
        return SignalWire(SpaceCredentials(self.path / "door.json"), media=self.door_media, storage=self.storage)

    async def call(self) -> tuple[WebRTCCall, WebRTCCall]:
        """The door's end and the kitchen's end of a call that is connected."""
        ours = await self.door.dial("/private/kitchen", user_variables={"intercom": {"role": "door"}})
        await until(lambda: bool(self.kitchen.session.incoming_calls))
        theirs = self.kitchen.session.incoming_calls[0]
        await theirs.answer()
        await until(lambda: ours.status == "connecting")
        self.door_media.calls[-1].become("connected")
        self.kitchen_media.calls[-1].become("connected")
        return ours, theirs


@pytest.fixture
async def house(space: Space, tmp_path: Path) -> AsyncIterator[House]:
    house = House(tmp_path)
    await asyncio.gather(house.door.register(), house.kitchen.register())
    yield house
    await asyncio.gather(house.door.destroy(), house.kitchen.destroy())


async def test_a_call_rings_talks_and_ends(house: House) -> None:
    ours, theirs = await house.call()
    assert theirs.from_ == "/private/door"
    assert theirs.user_variables["intercom"] == {"role": "door"}
    digits: list[str] = []
    ours.digits_stream.subscribe(digits.append)
    await theirs.send_digits("9")
    await until(lambda: digits == ["9"])
    await theirs.hangup()
    await ours.wait_destroyed()
    assert ours.end_cause == "NORMAL_CLEARING"


async def test_holding_is_told_to_the_far_end(house: House) -> None:
    ours, theirs = await house.call()
    await ours.toggle_hold()
    await until(lambda: theirs.far_held)
    assert ours.held
    await ours.toggle_hold()
    await until(lambda: not theirs.far_held)


async def test_a_transferred_call_goes_on_elsewhere(house: House, space: Space) -> None:
    space.enrol("office", "Office")
    space.write_credential("office", house.path / "office.json")
    async with SignalWire(SpaceCredentials(house.path / "office.json"), media=ScriptedMedia()) as office:
        await office.register()
        ours, theirs = await house.call()
        asked: list[str] = []
        theirs.transfer_asked_stream.subscribe(asked.append)
        await ours.transfer("/private/office")
        await asyncio.gather(ours.wait_destroyed(), theirs.wait_destroyed())
        assert (ours.end_cause, asked) == ("NORMAL_CLEARING", ["/private/office"])
        again = await house.kitchen.dial(asked[0])
        await until(lambda: bool(office.session.incoming_calls))
        await again.hangup()


@pytest.mark.parametrize(
    ("address", "cause"),
    [
        ("/private/castle", "UNALLOCATED_NUMBER"),
        ("+1555-123", "INVALID_NUMBER_FORMAT"),
        ("sip:anna@example.com", "NO_ROUTE_DESTINATION"),
    ],
)
async def test_a_call_to_an_address_that_nobody_can_reach_fails_with_its_cause(
    house: House, address: str, cause: str
) -> None:
    with pytest.raises(CallError) as refused:
        await house.door.dial(address)
    assert refused.value.cause == cause
    assert house.door.session.calls == []


async def test_a_transfer_to_nobody_fails_and_the_call_goes_on(house: House) -> None:
    ours, theirs = await house.call()
    with pytest.raises(RpcError, match="Nobody has the address"):
        await ours.transfer("/private/castle")
    await ours.send_digits("1")
    assert (ours.status, theirs.status) == ("connected", "connected")


async def test_a_call_gets_a_new_peer_connection(house: House) -> None:
    ours, _ = await house.call()
    await ours.request_ice_restart()
    assert house.door_media.calls[-1].restarts == 1
    assert house.kitchen_media.calls[-1].restarts == 1
    assert len(house.door_media.calls[-1].answered_with) == 2


async def test_a_call_outlives_its_socket(house: House) -> None:
    ours, theirs = await house.call()
    house.door._client.link._leave.set()
    await until(lambda: house.door._client.link.reconnects == 1)
    await until(lambda: house.door.is_registered)
    await ours.send_digits("1")
    assert (ours.status, theirs.status) == ("connected", "connected")
    await ours.hangup()
    await theirs.wait_destroyed()


async def test_a_call_outlives_its_process(house: House) -> None:
    ours, theirs = await house.call()
    await until(lambda: ours.status == "connected")
    await house.door._client.link.stop()
    await house.door._client.resume_store.flush()
    house.door = house.new_door()
    await house.door.register()
    await until(lambda: bool(house.door.session.calls))
    (again,) = house.door.session.calls
    assert again.id == ours.id
    await until(lambda: bool(house.door_media.calls) and again.status == "connecting")
    house.door_media.calls[-1].become("connected")
    assert house.kitchen_media.calls[-1].restarts == 1
    await again.hangup()
    await theirs.wait_destroyed()


async def test_the_space_comes_back_and_so_do_we(house: House, space: Space, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    port = space.port
    await space.stop()
    await until(lambda: not house.door.ready)
    again = Space(SpaceConfig(listen=f"127.0.0.1:{port}"), space._state_dir)
    await again.start()
    await until(lambda: house.door.is_registered and house.kitchen.is_registered)
    await again.stop()


async def test_the_house_has_a_user_and_a_directory(house: House) -> None:
    await until(lambda: house.door.user is not None)
    assert house.door.directory is not None
    await house.door.directory.load_all()
    names = {address.name.rpartition("/")[2] for address in house.door.directory.addresses}
    assert {"kitchen", "house"} <= names


async def test_aiortc_talks_to_the_echo(space: Space, tmp_path: Path) -> None:
    received: list[Any] = []
    media = AiortcMedia()
    async with SignalWire(SpaceCredentials(tmp_path / "door.json"), media=media) as client:
        client.preferences.ice_servers = []
        media.tracks_stream.subscribe(lambda item: received.append(item[1]))
        await client.connect()
        result = await client.preflight("/public/echo", duration_s=1.5)
        assert result.connected_ms is not None, result
        assert received
        assert received[0].kind == "audio"
        diagnostics = client.export_diagnostics()
        assert diagnostics["calls"][0]["to"] == "/public/echo"
