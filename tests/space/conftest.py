"""A running space and raw clients that speak to it over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.space import Space

WAIT_S = 60.0
OFFER = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
ANSWER = OFFER.replace("o=- 1", "o=- 2")


class Client:
    """A raw client: JSON in, JSON out; it acknowledges events and keeps them."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self.reads = asyncio.Event()
        self.reads.set()
        self.results: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.room_events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.other: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.protocol = ""
        self.state = ""
        self.token = ""
        self.connect_result: dict[str, Any] = {}
        self.reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.socket:
            await self.reads.wait()
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue
            frame = json.loads(message.data)
            if frame.get("method") == "signalwire.event":
                with contextlib.suppress(aiohttp.ClientConnectionResetError):  # the space may have cut us off
                    await self.socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "result": {}})
                params = frame["params"]
                if params["event_type"] == "signalwire.authorization.state":
                    self.state = params["params"]["authorization_state"]
                elif params["event_type"] == "webrtc.message":
                    self.events.put_nowait(params)
                else:
                    self.room_events.put_nowait(params)
            elif frame.get("method") == "signalwire.ping":
                with contextlib.suppress(aiohttp.ClientConnectionResetError):
                    await self.socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "result": frame["params"]})
            elif frame.get("id") in self.results:
                self.results.pop(frame["id"]).set_result(frame)
            else:
                self.other.put_nowait(frame)

    async def rpc(self, method: str, params: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a request; return the whole response frame."""
        request_id = str(uuid.uuid4())
        waiting = asyncio.get_running_loop().create_future()
        self.results[request_id] = waiting
        await self.socket.send_json({"jsonrpc": "2.0", "id": request_id, "method": method, "params": params or {}})
        return await asyncio.wait_for(waiting, WAIT_S)

    async def connect(self, token: str, **more: Any) -> dict[str, Any]:
        """signalwire.connect."""
        self.token = token
        response = await self.rpc(
            "signalwire.connect",
            {
                "authentication": {"jwt_token": token},
                "version": {"major": 4, "minor": 0, "revision": 0},
                "agent": "raw/1",
                "contexts": [],
                "topics": [],
                "eventing": [],
                "event_acks": True,
                **more,
            },
        )
        self.connect_result = response.get("result", {})
        self.protocol = self.connect_result.get("protocol", "")
        return response

    async def verto(self, method: str, call_id: str, **params: Any) -> dict[str, Any]:
        """Send a Verto message; return the Verto answer, unwrapped."""
        dialog = {"callID": call_id, **params.pop("dialog", {})}
        message = {
            "jsonrpc": "2.0",
            "id": str(uuid.uuid4()),
            "method": method,
            "params": {"dialogParams": dialog, **params},
        }
        response = await self.rpc("webrtc.verto", {"callID": call_id, "node_id": "", "message": message})
        inner: dict[str, Any] = response["result"]["result"]
        assert inner["id"] == message["id"]
        return inner

    async def dial(self, destination: str, call_id: str | None = None, **dialog: Any) -> str:
        """Invite `destination`; return the callID."""
        call_id = call_id or str(uuid.uuid4())
        answer = await self.verto(
            "verto.invite", call_id, sdp=OFFER, dialog={"destination_number": destination, **dialog}
        )
        assert answer["result"]["message"] == "CALL CREATED", answer
        return call_id

    async def heard(self, method: str) -> dict[str, Any]:
        """The parameters of the next Verto message, which must be `method`; a ping may come before it."""
        event = await asyncio.wait_for(self.events.get(), WAIT_S)
        while method != "verto.ping" == event["params"]["method"]:
            event = await asyncio.wait_for(self.events.get(), WAIT_S)
        assert event["params"]["method"] == method, event
        assert self.protocol in event["event_channel"]
        params: dict[str, Any] = event["params"]["params"]
        return params

    async def ringing(self) -> str:
        """Wait for an invite; return its callID."""
        return str((await self.heard("verto.invite"))["callID"])

    async def hears_nothing(self) -> None:
        """Whatever was on its way has arrived once a request is answered; nothing must have come."""
        await self.rpc("signalwire.ping")
        assert self.events.empty(), self.events.get_nowait()

    def falls_silent(self) -> None:
        """Answer no pings of the socket from now on; who does so while it still signs in may be given up before."""
        self.socket._autoping = False

    async def close(self) -> None:
        """Close the socket."""
        self.reads.set()
        await self.socket.close()
        await self.reader


class House:
    """A running space with everything a test needs around it."""

    def __init__(self, space: Space, http: aiohttp.ClientSession) -> None:
        self.space = space
        self.http = http
        self.clients: list[Client] = []

    def token(self, reference: str, *, groups: tuple[str, ...] = ()) -> str:
        """A SAT of `reference`, made if new."""
        return self.space.tokens.issue(self.space.store.add_subscriber(reference, groups=groups))[0]

    async def open(self) -> Client:
        """A socket without a session."""
        client = Client(await self.http.ws_connect(self.space.relay_url))
        self.clients.append(client)
        return client

    async def join(
        self,
        reference: str,
        *,
        groups: tuple[str, ...] = (),
        online: bool = True,
        reading: bool = True,
        **more: Any,
    ) -> Client:
        """A connected and, unless told otherwise, registered client; `reading` false: from then on it reads nothing."""
        client = await self.open()
        response = await client.connect(self.token(reference, groups=groups), **more)
        assert "result" in response, response
        if online:
            assert "result" in await client.rpc("subscriber.online")
        if not reading:
            client.reads.clear()
        return client

    async def station(self, reference: str, **more: Any) -> Client:
        """A registered member of the house."""
        return await self.join(reference, groups=("house",), **more)


@pytest.fixture
def configure() -> Callable[..., SpaceConfig]:
    """A configuration on a free loopback port."""

    def build(**settings: Any) -> SpaceConfig:
        return SpaceConfig(**{"listen": "127.0.0.1:0", **settings})

    return build


@contextlib.asynccontextmanager
async def house_with(config: SpaceConfig, state_dir: Path) -> AsyncIterator[House]:
    """Run a space with this configuration, and the clients that a test connects to it."""
    space = Space(config, state_dir)
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        try:
            yield house
        finally:
            for client in house.clients:
                await client.close()
            await space.stop()


@pytest.fixture
async def house(tmp_path: Path, configure: Callable[..., SpaceConfig]) -> AsyncIterator[House]:
    """A running space on loopback, without TLS."""
    async with house_with(configure(), tmp_path / "state") as running:
        yield running
