"""Clients of a space that cost next to nothing, in a process of their own: what is measured is the space.

Each is a socket that speaks as much Verto as the space expects of the house's page: it registers, acknowledges, answers
pings, and notes when an invite or the end of a call comes. `Crowd` is the other process's side of them.
"""

from __future__ import annotations

import asyncio
import itertools
import multiprocessing
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection
from typing import Any

import aiohttp
import msgspec

from bench._space_process import SpaceProcess, allow_descriptors
from intercom.signalwire.wire.agents import BESIDE, RINGS, SILENT
from tests.space.conftest import ANSWER, OFFER

PAGE = f"bench {RINGS} {SILENT} {BESIDE}"
"""Agent that hears what the house's page hears."""
DESCRIPTION_BYTES = 8_000
"""Size of an offer of sound and picture, with candidates, of a usual browser."""
WAIT_S = 60.0


def _long(sdp: str) -> str:
    line = "a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0\r\n"
    return sdp + line * ((DESCRIPTION_BYTES - len(sdp)) // len(line))


class _Dialog(msgspec.Struct):
    call_id: str = msgspec.field(default="", name="callID")


class _Verto(msgspec.Struct):
    method: str = ""
    params: _Dialog = msgspec.field(default_factory=_Dialog)


class _About(msgspec.Struct):
    event_type: str = ""
    params: _Verto = msgspec.field(default_factory=_Verto)


class _Frame(msgspec.Struct):
    """As much of a frame as a client has to know; the rest is not even read."""

    id: str | int | None = None
    method: str = ""
    params: _About = msgspec.field(default_factory=_About)
    error: object = None


class _Rung(msgspec.Struct):
    """What the space had to say, to all clients together."""

    frames: int = 0
    sent_bytes: int = 0
    invites: list[float] = msgspec.field(default_factory=list)
    byes: int = 0


_FRAMES = msgspec.json.Decoder(_Frame)


class _Client:
    def __init__(self, socket: aiohttp.ClientWebSocketResponse, heard: _Rung, changed: asyncio.Event) -> None:
        self._socket = socket
        self._heard = heard
        self._changed = changed
        self._numbers = itertools.count(1)
        self._answers: dict[str, asyncio.Future[None]] = {}
        self.rings = ""
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = _FRAMES.decode(message.data)
            self._heard.frames += 1
            self._heard.sent_bytes += len(message.data)
            if not frame.method:
                self._answered(frame)
                continue
            if frame.params.event_type == "webrtc.message":
                self._hear(frame.params.params)
            await self._socket.send_str(f'{{"jsonrpc":"2.0","id":"{frame.id}","result":{{}}}}')

    def _answered(self, frame: _Frame) -> None:
        waiting = self._answers.pop(str(frame.id), None)
        if waiting is not None and frame.error is None:
            waiting.set_result(None)
        elif waiting is not None:
            waiting.set_exception(PermissionError(str(frame.error)))

    def _hear(self, message: _Verto) -> None:
        if message.method == "verto.invite":
            self.rings = message.params.call_id
            self._heard.invites.append(time.time())
        elif message.method == "verto.answer":
            self.answered.set()
        elif message.method == "verto.bye":
            self._heard.byes += 1
            self.over.set()
        self._changed.set()

    async def rpc(self, method: str, params: dict[str, Any]) -> None:
        """Ask the space, and wait until it has answered."""
        number = str(next(self._numbers))
        answered = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"jsonrpc": "2.0", "id": number, "method": method, "params": params})
        async with asyncio.timeout(WAIT_S):
            await answered

    async def verto(self, method: str, call_id: str, *, to: str = "", **params: Any) -> None:
        """Say something of a call."""
        dialog = {"callID": call_id, **({"destination_number": to} if to else {})}
        message = {"jsonrpc": "2.0", "id": "m", "method": method, "params": {"dialogParams": dialog, **params}}
        await self.rpc("webrtc.verto", {"callID": call_id, "node_id": "", "message": message})

    async def hang_up(self, call_id: str, cause: str, code: int) -> None:
        """End a call, or stop ringing."""
        await self.verto("verto.bye", call_id, cause=cause, causeCode=code)

    async def close(self) -> None:
        """Go away."""
        await self._socket.close()
        await self.reading


class _Clients:
    """All of them, and one door."""

    def __init__(self, space: SpaceProcess, http: aiohttp.ClientSession) -> None:
        self._space = space
        self._http = http
        self._heard = _Rung()
        self._changed = asyncio.Event()
        self._pages: list[_Client] = []
        self._door: _Client | None = None
        self._calls = itertools.count(1)

    async def join(self, count: int) -> None:
        """Let the door register, if it has not, and residents until there are so many."""
        self._door = self._door or await self._register("door")
        while len(self._pages) < count:
            self._pages.append(await self._register(f"resident-{len(self._pages) + 1}"))

    async def call(self) -> float:
        """Call from one page to another; return how long the invite took, in ms."""
        number = next(self._calls)
        caller, callee = (self._pages[(number + step) % len(self._pages)] for step in (0, 1))
        self._start_over(callee)
        began = time.time()
        to = f"/private/resident-{(number + 1) % len(self._pages) + 1}"
        await caller.verto("verto.invite", f"call-{number}", to=to, sdp=_long(OFFER))
        await self._until(lambda: bool(self._heard.invites))
        await caller.hang_up(f"call-{number}", "NORMAL_CLEARING", 16)
        await self._until(callee.over.is_set)
        return (self._heard.invites[0] - began) * 1000

    async def ring(self) -> dict[str, float]:
        """Let the door ring everybody, one answer, and the door hang up; return what it took."""
        assert self._door is not None
        door, number = self._door, next(self._calls)
        self._start_over(door, *self._pages)
        began = time.time()
        await door.verto("verto.invite", f"ring-{number}", to="/private/house", sdp=_long(OFFER))
        await self._until(lambda: len(self._heard.invites) == len(self._pages))
        first = self._pages[0]
        answered_at = time.time()
        await first.verto("verto.answer", first.rings, sdp=_long(ANSWER))
        await self._until(lambda: door.answered.is_set() and self._heard.byes == len(self._pages) - 1)
        silent_at = time.time()
        await door.hang_up(f"ring-{number}", "NORMAL_CLEARING", 16)
        await self._until(lambda: self._heard.byes == len(self._pages))
        await door.rpc("signalwire.ping", {})
        return {
            "first_ms": (min(self._heard.invites) - began) * 1000,
            "last_ms": (max(self._heard.invites) - began) * 1000,
            "silent_ms": (silent_at - answered_at) * 1000,
            "frames": self._heard.frames,
            "sent_mb": self._heard.sent_bytes / 1e6,
        }

    async def rung(self) -> float:
        """Wait until a door rings the pages, decline, and return when the first heard it, seconds since 1970."""
        page = self._pages[0]
        await self._until(lambda: bool(page.rings))
        at = min(self._heard.invites)
        await page.hang_up(page.rings, "CALL_REJECTED", 21)
        self._start_over(*self._pages)
        return at

    async def close(self) -> None:
        """Let all go away."""
        for client in (self._door, *self._pages):
            if client is not None:
                await client.close()

    def _start_over(self, *clients: _Client) -> None:
        self._heard.frames = self._heard.sent_bytes = self._heard.byes = 0
        self._heard.invites.clear()
        for client in clients:
            client.rings = ""
            client.answered.clear()
            client.over.clear()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def _register(self, reference: str) -> _Client:
        async with self._http.post(
            f"{self._space.url}/api/fabric/subscribers/tokens",
            json={"reference": reference},
            auth=aiohttp.BasicAuth(self._space.project_id, self._space.api_token),
        ) as minted:
            token = (await minted.json())["token"]
        socket = await self._http.ws_connect(self._space.relay_url, max_msg_size=0)
        client = _Client(socket, self._heard, self._changed)
        connect = {
            "authentication": {"jwt_token": token},
            "version": {"major": 4, "minor": 0, "revision": 0},
            "agent": PAGE,
            "event_acks": True,
        }
        await client.rpc("signalwire.connect", connect)
        await client.rpc("subscriber.online", {})
        return client


class Crowd:
    """The clients of another process."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    async def do(self, deed: str, *arguments: object) -> Any:
        """Let them do what `_Clients` can, and return what it returns."""
        self._pipe.send((deed, arguments))
        done = await asyncio.to_thread(self._pipe.recv)
        if isinstance(done, Exception):
            raise done
        return done


@asynccontextmanager
async def crowd(space: SpaceProcess) -> AsyncIterator[Crowd]:
    """Start the process; it ends with the context."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_run, args=(theirs, space), daemon=True)
    process.start()
    theirs.close()  # so that its end is heard here
    try:
        yield Crowd(ours)
    finally:
        ours.close()
        await asyncio.to_thread(process.join, WAIT_S)
        process.kill()


def _run(pipe: Connection, space: SpaceProcess) -> None:
    allow_descriptors()
    asyncio.run(_obey(pipe, space))


async def _obey(pipe: Connection, space: SpaceProcess) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        clients = _Clients(space, http)
        while True:
            try:
                deed, arguments = await asyncio.to_thread(pipe.recv)
            except EOFError:
                break
            deeds: dict[str, Callable[..., Awaitable[Any]]] = {
                "join": clients.join,
                "call": clients.call,
                "ring": clients.ring,
                "rung": clients.rung,
            }
            try:
                pipe.send(await deeds[deed](*arguments))
            except (TimeoutError, OSError, aiohttp.ClientError, KeyError) as problem:
                pipe.send(RuntimeError(f"{deed}: {problem!r}"))
        await clients.close()
