"""A press rings whoever comes (back) until its time is over, whatever dies in between: real processes are killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.signalwire import SignalWire, SpaceCredentials, WebRTCCall
from tests.network.processes import Process
from tests.ports import free_port
from tests.signalwire.media import ScriptedMedia

BACK_S = 40.0
"""Within the door's ring time of 60 s. Clients are back within three; a loaded machine takes ten to start a space."""


class Home:
    """A space and a door, each a process of its own, and a phone that rings and is not answered."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._listen = f"127.0.0.1:{free_port()}"
        self.space: Process
        self.door: Process
        self.phone: SignalWire

    async def start(self) -> None:
        await self.start_space()
        self.door = await self._run("door", str(self.directory))
        self.phone = SignalWire(SpaceCredentials(self.directory / "kitchen.json"), media=ScriptedMedia())
        await self.phone.register()
        await self.registered()

    async def registered(self, since: float = 0.0) -> None:
        await self.door.until(lambda told: told["what"] == "registered" and told["on"], "the door", since)

    async def start_space(self) -> None:
        self.space = await self._run("space", str(self.directory), self._listen)
        await self.space.until(lambda told: told["what"] == "serves", "the space")

    async def _run(self, name: str, *arguments: str) -> Process:
        command = [sys.executable, "-m", f"tests.network.{name}", *arguments]
        return await Process.start(command, self.directory / f"{name}.log")

    async def rings(self, *, but: str = "") -> WebRTCCall:
        """Wait until the phone rings with another call than `but`."""
        async with asyncio.timeout(BACK_S):
            while True:
                for call in self.phone.session.incoming_calls:
                    if call.status == "ringing" and call.id != but:
                        return call
                await asyncio.sleep(0.05)

    async def stop(self) -> None:
        await self.phone.destroy()
        await self.door.stop()
        await self.space.stop()


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    home = Home(tmp_path)
    await home.start()
    yield home
    await home.stop()


async def one_call_goes_on(home: Home) -> None:
    """The door shows one call; it is logged once, as what became of it."""
    await home.door.when("status", rings_out, "its call: the phone may ring before the door is told of it")
    await home.door.do("hang_up")
    await home.door.when("status", idle, "the end of the call")
    assert (await home.door.do("last_call"))["outcome"] == "unanswered"


def rings_out(status: dict[str, Any]) -> bool:
    return status["state"] == "ringing" and (status["call"] or {}).get("direction") == "outbound"


def idle(status: dict[str, Any]) -> bool:
    return status["state"] == "idle" and status["call"] is None


async def test_a_space_that_is_killed_while_it_rings_and_is_back_rings_again(home: Home) -> None:
    await home.door.do("press")
    first = await home.rings()
    await home.space.kill()
    await home.start_space()
    await home.rings(but=first.id)
    await first.wait_destroyed()
    await one_call_goes_on(home)


async def test_a_door_that_stands_still_until_its_call_is_gone_rings_again(home: Home) -> None:
    await home.door.do("press")
    first = await home.rings()
    os.kill(home.door._process.pid, signal.SIGSTOP)
    await first.wait_destroyed()
    os.kill(home.door._process.pid, signal.SIGCONT)
    await home.rings(but=first.id)
    await one_call_goes_on(home)


async def test_a_phone_that_comes_while_nobody_is_there_is_rung(home: Home) -> None:
    await home.phone.unregister()
    await home.door.do("press")
    await home.door.until(lambda told: told["what"] == "call" and told["status"] == "destroyed", "the first attempt")
    await home.phone.register()
    await home.rings()
    await one_call_goes_on(home)


async def test_a_press_without_a_space_rings_when_there_is_one(home: Home) -> None:
    await home.space.kill()
    await home.door.until(lambda told: told["what"] == "registered" and not told["on"], "the door to notice")
    await home.door.do("press")
    await home.start_space()
    await home.rings()
    await one_call_goes_on(home)
