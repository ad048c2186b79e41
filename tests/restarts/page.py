"""A page of the house without a browser: it pairs, rings, answers and comes back as the station page does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import aiohttp
from aiortc import RTCPeerConnection, RTCSessionDescription

Json = dict[str, Any]
AGENT = "intercom-station/0.1 rings/1 silent/1 beside/1"
RETRY_S = 0.1
LIMIT_S = 120.0
"""Longest wait for what must come: it takes less than 10 s on a machine that has time."""
RPC_LIMIT_S = 5.0
"""Longest wait for an answer while the page registers: one that does not come is asked for anew."""
SILENT_MAX_S = 4.0
"""Longest ringing without the house, as in rings.js."""


@dataclass(frozen=True)
class Heard:
    """An invite that reached a page."""

    ring: str
    call_id: str
    at: float
    "time on the monotonic clock, seconds"

    def __str__(self) -> str:
        return f"{self.ring} (call {self.call_id}) at {self.at:.3f} s"


@dataclass(eq=False)
class Page:
    """One page. `bells` are the calls that ring here now; `told` are the events about the ring, oldest first."""

    url: str
    name: str
    secret: str = ""
    bells: dict[str, float] = field(default_factory=dict)
    "callID of each call that rings here, and since when"
    rung: list[Heard] = field(default_factory=list)
    "each invite, in order"
    told: list[Json] = field(default_factory=list)
    ends: list[tuple[float, str]] = field(default_factory=list)
    talking: str = ""
    nodes: dict[str, str] = field(default_factory=dict)
    offers: dict[str, str] = field(default_factory=dict)
    online: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    _resume: Json = field(default_factory=dict)
    _socket: aiohttp.ClientWebSocketResponse | None = None
    _answers: dict[str, asyncio.Future[Json]] = field(default_factory=dict)
    _peer: RTCPeerConnection | None = None
    _running: asyncio.Task[None] | None = None

    @property
    def lives(self) -> bool:
        """Whether the page is open."""
        return self._running is not None

    def state_of(self, ring: str) -> str:
        """How a ring stands by what this page was told last; empty when it was told nothing of it."""
        rings = [ring for event in self.told for ring in event.get("rings", [event])]
        return next((one["state"] for one in reversed(rings) if one["ring"] == ring), "")

    async def pair(self, code: str) -> None:
        """Redeem a code."""
        async with aiohttp.ClientSession() as http:
            body = {"code": code, "name": self.name}
            answer = await (await http.post(f"{self.url}/api/space/pair", json=body)).json()
        self.secret = answer["device_secret"]

    def open(self) -> None:
        """Load the page."""
        self._resume = {}
        self._running = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Leave the page: its browser says so."""
        if self._socket is not None:
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(self._socket.close(code=1001), RPC_LIMIT_S)
        await self.kill()

    async def kill(self) -> None:
        """End its browser: the kernel closes its socket, nobody says a word."""
        socket, running, self._running = self._socket, self._running, None
        if running is not None:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
        if socket is not None and socket._response.connection is not None:
            transport = socket._response.connection.transport
            if transport is not None:
                transport.abort()
        await self._forget()

    async def _forget(self) -> None:
        async with self.changed:
            self.bells.clear()
            self.talking, self.online, self._socket = "", False, None
            self.changed.notify_all()
        peer, self._peer = self._peer, None
        if peer is not None:
            await peer.close()

    async def _run(self) -> None:
        lost_at = time.monotonic()
        while True:
            with contextlib.suppress(aiohttp.ClientError, OSError, TimeoutError, KeyError, json.JSONDecodeError):
                async with aiohttp.ClientSession() as http:
                    await self._live(http)
            async with self.changed:
                lost_at = time.monotonic() if self.online else lost_at
                self.online, self._socket = False, None
                self.changed.notify_all()
            if time.monotonic() - lost_at > SILENT_MAX_S and self.bells:
                self._resume = {}
                await self._is_a_new_session()
            await asyncio.sleep(RETRY_S)

    async def _live(self, http: aiohttp.ClientSession) -> None:
        headers = {"Authorization": f"Bearer {self.secret}"}
        token = (await (await http.post(f"{self.url}/api/space/token", headers=headers)).json())["token"]
        async with http.ws_connect(f"{self.url}/", heartbeat=None) as socket:
            self._socket = socket
            reading = asyncio.create_task(self._read(socket))
            try:
                await self._register(token)
                await reading
            finally:
                reading.cancel()

    async def _register(self, token: str) -> None:
        params = {
            "authentication": {"jwt_token": token},
            "version": {"major": 4, "minor": 0, "revision": 0},
            "agent": AGENT,
            "event_acks": True,
        }
        answer = await self._ask("signalwire.connect", {**params, **self._resume})
        if "error" in answer:
            self._resume = {}
            answer = await self._ask("signalwire.connect", params)
        protocol = answer["result"]["protocol"]
        if protocol != self._resume.get("protocol"):
            await self._is_a_new_session()
        self._resume["protocol"] = protocol
        await self._ask("subscriber.online", {})
        async with self.changed:
            self.online = True
            self.changed.notify_all()

    async def _is_a_new_session(self) -> None:
        async with self.changed:
            for _ in self.bells:
                self.ends.append((time.monotonic(), "forgotten"))
            self.bells.clear()
            self.changed.notify_all()

    async def _ask(self, method: str, params: Json, limit_s: float = RPC_LIMIT_S) -> Json:
        assert self._socket is not None
        frame_id = str(uuid.uuid4())
        self._answers[frame_id] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"jsonrpc": "2.0", "id": frame_id, "method": method, "params": params})
        return await asyncio.wait_for(self._answers[frame_id], limit_s)

    async def _read(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            frame = json.loads(message.data)
            if frame.get("id") in self._answers:
                self._answers.pop(frame["id"]).set_result(frame)
                continue
            await socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "result": {}})
            if frame.get("method") == "signalwire.event":
                await self._take(frame["params"])

    async def _take(self, event: Json) -> None:
        kind, params = event["event_type"], event["params"]
        if kind == "signalwire.authorization.state":
            self._resume["authorization_state"] = params["authorization_state"]
            return
        async with self.changed:
            if kind == "webrtc.message":
                self._verto(params["method"], params["params"], event.get("node_id", ""))
            elif kind in ("intercom.ring", "intercom.rings"):
                self.told.append({"event": kind, "heard": time.monotonic(), **params})
            self.changed.notify_all()

    def _verto(self, method: str, params: Json, node_id: str) -> None:
        call_id = params.get("callID", "")
        if method == "verto.invite":
            self.bells[call_id] = time.monotonic()
            self.nodes[call_id], self.offers[call_id] = node_id, params["sdp"]
            self.rung.append(Heard(params.get("ring", ""), call_id, self.bells[call_id]))
        elif method == "verto.bye":
            if self.bells.pop(call_id, None) is not None or call_id == self.talking:
                self.ends.append((time.monotonic(), params["cause"]))
            if call_id == self.talking:
                self.talking = ""

    async def verto(self, method: str, call_id: str, **params: Any) -> Json:
        """Send a Verto message."""
        message = {"jsonrpc": "2.0", "id": str(uuid.uuid4()), "method": method}
        message["params"] = {"dialogParams": {"callID": call_id}, **params}
        asked = {"callID": call_id, "node_id": self.nodes[call_id], "message": message}
        return await self._ask("webrtc.verto", asked, LIMIT_S)

    async def answer(self) -> None:
        """Answer what rings."""
        call_id = next(iter(self.bells))
        self._peer = peer = RTCPeerConnection()
        peer.on("connectionstatechange", partial(self._connection_changed, peer))
        await self._peer.setRemoteDescription(RTCSessionDescription(self.offers[call_id], "offer"))
        await self._peer.setLocalDescription(await self._peer.createAnswer())
        self.bells.pop(call_id)
        self.talking = call_id
        await self.verto("verto.answer", call_id, sdp=self._peer.localDescription.sdp)

    async def _connection_changed(self, peer: RTCPeerConnection) -> None:
        """Stop talking when the far end's connection is gone, as the station page does; the space may not know."""
        if peer is self._peer and peer.connectionState in ("closed", "failed"):
            async with self.changed:
                self.talking = ""
                self.changed.notify_all()

    async def decline(self) -> None:
        """Decline what rings."""
        call_id = next(iter(self.bells))
        self.bells.pop(call_id)
        await self.verto("verto.bye", call_id, cause="USER_BUSY", causeCode=17)

    async def until(self, holds: Any, what: str, limit_s: float = LIMIT_S) -> None:
        """Wait until something holds of this page."""
        try:
            async with asyncio.timeout(limit_s), self.changed:
                await self.changed.wait_for(lambda: holds(self))
        except TimeoutError:
            raise AssertionError(f"{self.name} waited {limit_s} s for {what}: {self}") from None
