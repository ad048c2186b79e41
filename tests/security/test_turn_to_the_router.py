"""Somebody has a password of the TURN server, as every resident's device has, and relays into the house's network."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.network.namespaces import DOOR, HOUSE, SUBNETS, NamespacesUnavailableError, Street
from tests.network.processes import Process

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROOT = Path(__file__).parent.parent.parent
ROUTER = f"{SUBNETS['house']}.1"
FORBIDDEN = 403
LOOK_S = 0.5
FOLLOWED_S = 60.0
"""coturn reads where relays may lead every five seconds; the rest is a loaded machine's."""


@dataclass
class Lan:
    """A space with its TURN server, a router, a door, and somebody with a password."""

    street: Street
    directory: Path
    router: asyncio.subprocess.Process
    door: asyncio.subprocess.Process
    thief: asyncio.subprocess.Process

    async def steal(self, *peers: str) -> dict[str, Any]:
        """What the thief's password reaches."""
        assert self.thief.stdin is not None
        self.thief.stdin.write((" ".join(peers) + "\n").encode())
        return dict(await heard(self.thief))

    async def until_reached(self, peer: str, wanted: object) -> None:
        """Wait until this comes of an attempt to reach a peer."""
        give_up = time.monotonic() + FOLLOWED_S
        while (got := (await self.steal(ROUTER, peer))[peer]) != wanted:
            assert time.monotonic() < give_up, got
            await asyncio.sleep(LOOK_S)


async def heard(process: asyncio.subprocess.Process) -> Any:
    """The next line of JSON that a process prints."""
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = await process.stdout.readline()
    return json.loads(line)


async def play(street: Street, namespace: str, role: str, *arguments: str) -> asyncio.subprocess.Process:
    """Start somebody on the network; returns when they are ready."""
    command = street.command(namespace, sys.executable, "-m", "tests.security.turn_lan", role, *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=ROOT
    )
    assert await heard(process) == "ready"
    return process


async def end(*processes: asyncio.subprocess.Process) -> None:
    """Kill them."""
    for process in processes:
        process.kill()
        await process.wait()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lan(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lan]:
    """One for all tests of this file."""
    directory = tmp_path_factory.mktemp("lan")
    try:
        with Street() as street:
            listens = (f"{HOUSE}:8443", f"{HOUSE}:3478")
            command = [sys.executable, "-m", "tests.network.space", str(directory), *listens]
            space = await Process.start(street.command(street.house, *command), directory / "space.log")
            await space.until(lambda told: told["what"] == "serves", "the space")
            here = Lan(
                street,
                directory,
                router=await play(street, street.router, "router"),
                door=await play(street, street.door, "door", str(directory / "door.json")),
                thief=await play(street, street.router, "thief", str(directory / "kitchen.json")),
            )
            try:
                yield here
            finally:
                await end(here.router, here.door, here.thief)
                await space.stop()
    except NamespacesUnavailableError as reason:
        pytest.skip(str(reason))


async def test_a_relay_leads_to_the_door(lan: Lan) -> None:
    await lan.until_reached(DOOR, "hello")


@pytest.mark.parametrize(
    "peer",
    [ROUTER, f"{SUBNETS['cable']}.1", f"{SUBNETS['house']}.50", "127.0.0.1", "169.254.169.254", "255.255.255.255"],
)
async def test_a_relay_leads_nowhere_else(lan: Lan, peer: str) -> None:
    got = await lan.steal(ROUTER, peer)
    assert got["allocate"] == 0
    assert got[peer] == FORBIDDEN


@pytest.mark.parametrize("peer", ["224.0.0.251", f"::ffff:{ROUTER}", "::1", "fd00::1", "fe80::1"])
async def test_no_other_way_to_write_an_address_leads_there(lan: Lan, peer: str) -> None:
    got = await lan.steal(ROUTER, peer)
    assert isinstance(got[peer], int)
    assert 400 <= got[peer] < 500


async def test_no_tcp_is_relayed_to_the_routers_page(lan: Lan) -> None:
    got = await lan.steal(ROUTER)
    assert 400 <= got["tcp"] < 500


async def test_relays_follow_the_door_to_its_new_address(lan: Lan) -> None:
    await end(lan.door)
    lan.street.renumber("cable", 77)
    lan.door = await play(lan.street, lan.street.door, "door", str(lan.directory / "door.json"))
    await lan.until_reached(f"{SUBNETS['cable']}.77", "hello")
    await lan.until_reached(DOOR, FORBIDDEN)
