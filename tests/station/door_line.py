"""The door's side of the signalling, spoken to the real space over a real socket."""

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp

from intercom.space import Space
from intercom.tasks import TaskSet
from tests.station.door import Door

Json = dict[str, Any]
PATIENCE_S = 60.0
ROLE = {"intercom": {"role": "door"}}


class DoorLine:
    """A registered door of the space, /private/door; calls are made with one Door each."""

    def __init__(
        self,
        space: Space,
        agent: str = "door/0",
        *,
        reference: str = "door",
        name: str = "Front door",
        shows: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        """`shows` answers the offer of a page that asks to see who rings."""
        self._reference, self._name, self._shows = reference, name, shows
        self._views = TaskSet()
        self._space = space
        self._agent = agent
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._http: aiohttp.ClientSession | None = None
        self._answers: dict[str, asyncio.Future[Json]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._seen: list[Json] = []
        self._told: list[tuple[str, Json]] = []
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        subscriber = self._space.store.subscriber(self._reference) or self._space.store.add_subscriber(
            self._reference, self._name, kind="door"
        )
        token, _ = self._space.tokens.issue(subscriber)
        self._http = aiohttp.ClientSession()
        self._socket = await self._http.ws_connect(self._space.url + "/")
        self._reader = asyncio.create_task(self._read())
        await self.ask(
            "signalwire.connect",
            {
                "authentication": {"jwt_token": token},
                "version": {"major": 4, "minor": 0, "revision": 0},
                "agent": self._agent,
                "event_acks": True,
            },
        )
        await self.ask("subscriber.online", {})
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._reader and self._socket and self._http
        self._reader.cancel()
        self._views.cancel()
        await self._socket.close()
        await self._http.close()

    async def ring(self, door: Door, address: str = "/private/house") -> str:
        """Dial an address with the door's offer; returns the callID."""
        return await self.press(await door.offer(), address)

    async def press(self, offer: str, address: str = "/private/house") -> str:
        """Dial an address with this offer; returns the callID."""
        call_id = str(uuid.uuid4())
        dialog = {"callID": call_id, "destination_number": address, "userVariables": ROLE}
        await self.verto("verto.invite", {"dialogParams": dialog, "sdp": offer})
        return call_id

    async def give_up(self, call_id: str) -> None:
        """End a call that rings: the visitor goes away."""
        await self.verto("verto.bye", {"dialogParams": {"callID": call_id}, "cause": "ORIGINATOR_CANCEL"})

    async def verto(self, method: str, params: Json) -> Json:
        """Send one Verto message; returns the whole result."""
        message = {"jsonrpc": "2.0", "id": str(uuid.uuid4()), "method": method, "params": params}
        call_id = params["dialogParams"]["callID"]
        return await self.ask("webrtc.verto", {"callID": call_id, "node_id": "", "message": message})

    async def say(self, call_id: str, state: str) -> None:
        """Tell the far end what the door's lock did."""
        params = {"dialogParams": {"callID": call_id}, "intercom": {"door": state}}
        await self.verto("verto.info", params)

    async def show(self, call_id: str, jpeg: bytes) -> None:
        """Show the picture of the press."""
        await self.ask("intercom.still", {"callID": call_id, "jpeg": base64.b64encode(jpeg).decode(), "age_ms": 20})

    async def heard(self, method: str, call_id: str = "") -> Json:
        """The parameters of the first Verto message with this method, for a call or any, now or within the time-out."""

        def found() -> Json | None:
            about = (m["params"] for m in self._seen if m.get("method") == method)
            return next((params for params in about if call_id in ("", params["callID"])), None)

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(lambda: found() is not None)
        params = found()
        assert params is not None
        return params

    async def _show(self, shows: Callable[[str], Awaitable[str]], asked: Json) -> None:
        answer = {"sdp": await shows(asked["sdp"])} if asked["sdp"] else {"refused": "no-look"}
        await self.ask("intercom.view.answer", {"view": asked["view"], **answer})

    async def member_is_muted(self, muted: bool) -> None:
        """Wait until the space tells the door that a member is muted, or not; what it told before that is done with."""

        def told() -> bool:
            while self._told:
                event, about = self._told.pop(0)
                if event == "member.updated" and about["member"]["audio_muted"] is muted:
                    return True
            return False

        async with asyncio.timeout(PATIENCE_S), self._changed:
            await self._changed.wait_for(told)

    async def ask(self, method: str, params: Json) -> Json:
        """Send one request; returns its result."""
        frame_id = str(uuid.uuid4())
        self._answers[frame_id] = asyncio.get_running_loop().create_future()
        assert self._socket
        await self._socket.send_json({"jsonrpc": "2.0", "id": frame_id, "method": method, "params": params})
        answer = await asyncio.wait_for(self._answers[frame_id], PATIENCE_S)
        assert "error" not in answer, answer["error"]
        result: Json = answer["result"]
        return result

    async def _read(self) -> None:
        assert self._socket
        async for message in self._socket:
            frame = json.loads(message.data)
            if frame.get("id") in self._answers:
                self._answers.pop(frame["id"]).set_result(frame)
                continue
            await self._socket.send_json({"jsonrpc": "2.0", "id": frame["id"], "result": {}})
            if frame["method"] != "signalwire.event":
                continue  # the space asks a client that was silent for long for a sign
            if frame["params"]["event_type"] == "webrtc.message":
                self._seen.append(frame["params"]["params"])
            elif frame["params"]["event_type"] == "intercom.view" and self._shows is not None:
                self._views.spawn(self._show(self._shows, frame["params"]["params"]))
            else:
                self._told.append((frame["params"]["event_type"], frame["params"]["params"]))
            async with self._changed:
                self._changed.notify_all()
