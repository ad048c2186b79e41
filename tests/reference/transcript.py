"""What a client and the space say to each other while the client does what a resident's phone does all day.

The same script runs the reference client in Chromium and ours. What it records holds no secret and nothing that
differs from run to run: tokens are replaced, ids are numbered in the order in which they appear, times are zero and
session descriptions keep their form only.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from intercom.space import Space

from ..space.conftest import Client, House
from .cleaned import Cleaner
from .peer import Peer

TRANSCRIPTS = Path(__file__).resolve().parent / "transcripts"
SETTLE_S = 30.0

Step = dict[str, Any]
"""{"step": what the client did, "frames": [{"from": "client" | "space", "frame": …}]}."""


class Actor(Protocol):
    """A client that the script can lead."""

    async def start(self) -> None: ...
    async def frames(self) -> list[dict[str, Any]]: ...
    async def dial(self, destination: str) -> str: ...
    async def ringing(self) -> str: ...
    async def answer(self, call: str) -> None: ...
    async def reject(self, call: str) -> None: ...
    async def hangup(self, call: str) -> None: ...
    async def digits(self, call: str, digits: str) -> None: ...
    async def toggle_hold(self, call: str) -> None: ...
    async def transfer(self, call: str, destination: str) -> None: ...
    async def register(self) -> None: ...
    async def unregister(self) -> None: ...
    async def reaches(self, call: str, status: str) -> None: ...
    async def comes_back(self, sockets: int) -> None: ...


# -- what is recorded --------------------------------------------------------------------------------------------


def media_of(sdp: str) -> list[str]:
    """The kinds of media in a session description."""
    return re.findall(r"^m=(\w+)", sdp, re.MULTILINE)


def settled(frames: list[dict[str, Any]]) -> bool:
    """Whether every request on the newest socket, from either end, has its answer."""
    open_requests: set[tuple[str, str]] = set()
    for said in frames:
        who, frame = said["from"], said["frame"]
        if frame.get("method") == "signalwire.connect":
            open_requests.clear()
        if "method" in frame:
            open_requests.add((who, frame["id"]))
        else:
            open_requests.discard(("space" if who == "client" else "client", frame["id"]))
    return not open_requests


# -- the script --------------------------------------------------------------------------------------------------


class Script:
    """Leads one client through a day, with a raw client with real media, `door`, at the other end."""

    def __init__(self, space: Space, house: House, actor: Actor, reference: str) -> None:
        self.steps: list[Step] = []
        self._space, self._house, self._actor, self._reference = space, house, actor, reference
        self._cleaner = Cleaner()
        self._taken = 0
        self._peers: list[Peer] = []

    async def calls(self) -> None:
        """Calls in both directions and everything that is done in one."""
        actor, door = self._actor, await self._house.join("door")
        await self._do("connects and registers", actor.start)
        call = ""

        async def dial() -> None:
            nonlocal call
            call = await self._dialled(door)

        async def told(do: Awaitable[None], method: str) -> None:
            await do
            await door.heard(method)

        async def lose_socket() -> None:
            self._space.sockets.break_off(self._reference)
            await actor.comes_back(2)
            await self._until(lambda frames: "verto.attach" in str(frames[self._taken :]), "verto.attach")

        async def called() -> None:
            nonlocal call
            call = await self._called(door)
            await actor.answer(call)
            await self._peers[-1].answered()
            await actor.reaches(call, "connected")

        async def hung_up_on() -> None:
            await door.verto("verto.bye", self._peers[-1].call_id, cause="NORMAL_CLEARING", causeCode=16)
            await actor.reaches(call, "destroyed")

        async def reject() -> None:
            await actor.reject(await self._called(door))
            await door.heard("verto.bye")

        async def refused() -> None:
            nonlocal call
            call = await actor.dial("/private/door")
            await door.verto("verto.bye", await door.ringing(), cause="USER_BUSY", causeCode=17)
            await actor.reaches(call, "destroyed")

        async def give_up() -> None:
            gone = await actor.dial("/private/door")
            await door.ringing()
            await told(actor.hangup(gone), "verto.bye")

        async def transfer() -> None:
            await self._house.join("kitchen")
            await dial()
            await told(actor.transfer(call, "/private/kitchen"), "verto.modify")
            await actor.reaches(call, "destroyed")
            await door.heard("verto.bye")

        await self._do("dials and is answered", dial)
        await self._do("sends digits", lambda: told(actor.digits(call, "9"), "verto.info"))
        await self._do("holds", lambda: told(actor.toggle_hold(call), "verto.modify"))
        await self._do("takes back from hold", lambda: told(actor.toggle_hold(call), "verto.modify"))
        await self._do("loses its socket in the call and comes back", lose_socket)
        await self._do("sends digits after it came back", lambda: told(actor.digits(call, "1"), "verto.info"))
        await self._do("hangs up", lambda: told(actor.hangup(call), "verto.bye"))
        await self._do("is called and answers", called)
        await self._do("is hung up on", hung_up_on)
        await self._do("rejects a call", reject)
        await self._do("is rejected", refused)
        await self._do("gives up before the answer", give_up)
        await self._do("transfers a call", transfer)
        await self._do("unregisters", actor.unregister)
        await self._do("registers again", actor.register)

    async def bound(self) -> None:
        """A token that is bound to the client's key, and the socket lost."""

        async def bind() -> None:
            await self._actor.start()
            await self._sent("signalwire.reauthenticate", 1)

        async def lose_socket() -> None:
            self._space.sockets.break_off(self._reference)
            await self._actor.comes_back(2)
            await self._sent("signalwire.reauthenticate", 2)

        await self._do("connects, registers and binds its token", bind)
        await self._do("loses its socket and comes back", lose_socket)

    async def close(self) -> None:
        """End the far end's media."""
        for peer in self._peers:
            await peer.close()

    async def _do(self, step: str, do: Callable[[], Awaitable[None]]) -> None:
        await do()
        frames = await self._until(settled, f"an answer to every request ({step})")
        new = without_signs_of_life(frames)[self._taken :]
        said = [{"from": one["from"], "frame": self._cleaner.frame(one["from"], one["frame"])} for one in new]
        self._taken += len(new)
        self.steps.append({"step": step, "frames": said})

    async def _sent(self, method: str, count: int) -> None:
        def often_enough(frames: list[dict[str, Any]]) -> bool:
            sent = [one for one in frames if one["from"] == "client" and one["frame"].get("method") == method]
            return len(sent) >= count

        await self._until(often_enough, f"{method}, {count} of them")

    async def _until(self, holds: Callable[[list[dict[str, Any]]], bool], what: str) -> list[dict[str, Any]]:
        frames: list[dict[str, Any]] = []
        try:
            async with asyncio.timeout(SETTLE_S):
                while not holds(frames := await self._actor.frames()) or not frames:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise AssertionError(f"there never was {what}; the last frames: {frames[-6:]}") from None
        return frames

    async def _dialled(self, door: Client) -> str:
        peer = self._peer(door)
        call = await self._actor.dial("/private/door")
        await peer.answer()
        await self._actor.reaches(call, "connected")
        return call

    async def _called(self, door: Client) -> str:
        await self._peer(door).dial(f"/private/{self._reference}")
        return await self._actor.ringing()

    def _peer(self, door: Client) -> Peer:
        self._peers.append(Peer(door, video=False))
        return self._peers[-1]


def without_signs_of_life(frames: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The frames without the space's pings and their answers: it asks clients that are silent for a while, not all."""
    asked = [one["frame"]["id"] for one in frames if one["frame"].get("method") == "signalwire.ping"]
    return [one for one in frames if one["frame"].get("id") not in asked]


@asynccontextmanager
async def raw_house(space: Space) -> AsyncIterator[House]:
    """Raw clients at a space with TLS."""
    certificate = space.enrol("house-test", "Test").certificate
    trust = ssl.create_default_context(cadata=certificate) if certificate else False
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trust)) as http:
        house = House(space, http)
        try:
            yield house
        finally:
            for client in house.clients:
                await client.close()


async def follow(space: Space, actor: Actor, reference: str, script: str) -> list[Step]:
    """Lead `actor`, the subscriber `reference`, through a script ("calls", "bound"); what was said."""
    async with raw_house(space) as house:
        run = Script(space, house, actor, reference)
        try:
            await getattr(run, script)()
        finally:
            await run.close()
        return run.steps


SCRIPTS = ("calls", "bound")


def recorded(script: str) -> list[Step]:
    """What the reference client said when it was last recorded."""
    steps: list[Step] = json.loads((TRANSCRIPTS / f"{script}.json").read_text(encoding="utf-8"))
    return steps
