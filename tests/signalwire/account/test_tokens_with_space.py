"""Our client's tokens at a real space: bound to the device, renewed, revoked, and under clocks that jump."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from intercom.config import SpaceConfig
from intercom.signalwire import (
    AuthenticationError,
    InvalidCredentialsError,
    Options,
    SignalWire,
    SpaceCredentials,
    StaticCredentials,
)
from intercom.space import Space
from intercom.space.auth.membership import Membership
from tests.reference.ours import Minted, OurActor
from tests.signalwire.media import ScriptedMedia

WAIT_S = 60.0
YEAR_S = 365 * 86_400.0
# The client renews a bound token 30 s before its end, any other one 5 s before: these are renewed after a second.
BOUND_LIFETIME_S = 31
LIFETIME_S = 6


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def a_space(directory: Path, *, wall: Callable[[], float] = time.time, **settings: Any) -> AsyncIterator[Space]:
    space = Space(SpaceConfig(listen="127.0.0.1:0", **settings), directory / "space", wall=wall)
    await space.start()
    try:
        yield space
    finally:
        await space.stop()


def shown(actor: OurActor) -> list[dict[str, Any]]:
    """What `signalwire.reauthenticate` held, each time."""
    said = [one["frame"] for one in actor.said if one["from"] == "client"]
    return [frame["params"] for frame in said if frame.get("method") == "signalwire.reauthenticate"]


async def test_a_token_is_bound_to_the_device_and_renewed(tmp_path: Path) -> None:
    async with (
        a_space(tmp_path, token_lifetime_s=BOUND_LIFETIME_S) as space,
        OurActor(space, "door", refreshable=True) as actor,
    ):
        faults: list[Exception] = []
        actor.client.errors_stream.subscribe(faults.append)
        await actor.start()
        await until(lambda: len(shown(actor)) >= 2)
        tokens = [params["authentication"]["jwt_token"] for params in shown(actor)]
        assert all(params["dpop_token"] for params in shown(actor))
        assert len(set(tokens)) == len(tokens)
        key = actor.client._client.account._key
        assert key is not None
        assert {space.tokens.check(token, even_expired=True).jkt for token in tokens} == {key.fingerprint}
        await until(lambda: actor.client._client.account._renewal.credential is not None)
        space.sockets.break_off("door")
        await actor.comes_back(2)
        assert faults == []


async def test_a_bound_token_is_worth_nothing_without_the_devices_key(tmp_path: Path) -> None:
    async with a_space(tmp_path) as space, OurActor(space, "door", refreshable=True) as actor:
        await actor.start()
        await until(lambda: actor.client._client.account.client_bound)
        (stolen,) = {params["authentication"]["jwt_token"] for params in shown(actor)}
        options = Options(relay_url=space.relay_url, api_url=space.url, watch_network=False)
        async with SignalWire(StaticCredentials(stolen), media=ScriptedMedia(), options=options) as thief:
            with pytest.raises(AuthenticationError):
                await thief.connect()


async def test_a_token_is_renewed_before_it_runs_out(tmp_path: Path) -> None:
    async with a_space(tmp_path) as space:
        provider = Minted(space, "door", lifetime_s=LIFETIME_S)
        async with OurActor(space, "door", provider=provider) as actor:
            await actor.start()
            await until(lambda: bool(shown(actor)))
            assert shown(actor)[0]["authentication"]["jwt_token"] in provider.tokens[1:]
            assert actor.client.is_registered
            assert space.exchange.online() == ["door"]


async def test_who_is_thrown_out_is_told_and_is_back_once_he_is_let_in_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    file = tmp_path / "door.json"
    async with a_space(tmp_path) as space:
        space.enrol("door", "Door").write(file)
        faults: list[Exception] = []
        async with SignalWire(SpaceCredentials(file), media=ScriptedMedia()) as client:
            client.errors_stream.subscribe(faults.append)
            await client.register()
            with Membership(tmp_path / "space") as books:
                books.remove("door", even_a_door=True)
            await until(lambda: any(isinstance(fault, InvalidCredentialsError) for fault in faults))
            assert not client.is_registered
            space.enrol("door", "Door").write(file)
            client._client.link.network_changed()
            await until(lambda: client.is_registered)


@pytest.mark.parametrize("years", [-50, 50])
async def test_the_devices_clock_may_jump_by_years(tmp_path: Path, years: int) -> None:
    async with a_space(tmp_path) as space, OurActor(space, "door") as actor:
        await actor.start()
        account = actor.client._client.account
        account._wall_clock = account._renewal._wall_clock = lambda: time.time() + years * YEAR_S
        account._renewal._was_bound.set()
        space.sockets.break_off("door")
        await actor.comes_back(2)
        assert space.exchange.online() == ["door"]


@pytest.mark.parametrize("years", [-50, 2])
async def test_the_services_clock_may_jump_by_years(tmp_path: Path, years: int) -> None:
    jump = [0.0]
    async with a_space(tmp_path, wall=lambda: time.time() + jump[0]) as space, OurActor(space, "door") as actor:
        await actor.start()
        jump[0] = years * YEAR_S
        space.sockets.break_off("door")
        await until(lambda: not actor.client.is_registered)
        await until(lambda: actor.client.is_registered)
        assert space.exchange.online() == ["door"]


@pytest.mark.parametrize("years", [-50, 50])
async def test_a_device_that_boots_with_a_wrong_clock_is_registered(tmp_path: Path, years: int) -> None:
    async with a_space(tmp_path) as space, OurActor(space, "door") as actor:
        account = actor.client._client.account
        account._wall_clock = account._renewal._wall_clock = lambda: time.time() + years * YEAR_S
        await actor.start()
        assert space.exchange.online() == ["door"]
