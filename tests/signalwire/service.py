"""A service in memory: it says what protocol.md says, keeps a transcript, and breaks when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from intercom.signalwire.account.access_token import Credential
from intercom.signalwire.errors import HttpError, TransportError
from intercom.signalwire.options import Options
from intercom.signalwire.wire import messages as m

PROTOCOL = "signalwire_channel_1"
WAIT_S = 60.0


class MemorySocket:
    """One socket between a client and `Service`."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._arriving: asyncio.Queue[str | None] = asyncio.Queue()
        self.broken = False

    unsent_bytes = 0

    def send(self, text: str) -> None:
        if not self.broken:
            self._service.take(self, text)

    async def frames(self) -> AsyncIterator[str | bytes]:
        while (frame := await self._arriving.get()) is not None:
            yield frame
        raise TransportError("cut")

    async def close(self) -> None:
        self.cut()

    def deliver(self, text: str) -> None:
        self._arriving.put_nowait(text)

    def cut(self) -> None:
        self.broken = True
        self._arriving.put_nowait(None)


class Service:
    """Answers as the real one; `requests` is everything it was asked, in order."""

    def __init__(self) -> None:
        self.requests: list[m.Request] = []
        self.responses: list[m.Response] = []
        self.reachable = True
        self.connects = 0
        self.sockets: list[MemorySocket] = []
        self.kind_of_socket = MemorySocket
        self.refusals: dict[str, list[int]] = {}
        self.silent: set[str] = set()
        self.verto_refusal: dict[str, str] = {}
        self.protocol = PROTOCOL
        self.answers: dict[str, Callable[[m.Request], Any]] = {}
        self.http_calls: list[tuple[str, str, str | None, dict[str, Any]]] = []
        self.pages: dict[str, Any] = {"/api/fabric/subscriber/info": {"id": "user-1", "display_name": "Door"}}
        self._changed = asyncio.Event()

    async def open(self, url: str, certificate: str | None) -> MemorySocket:
        self.connects += 1
        self._changed.set()
        if not self.reachable:
            raise TransportError("unreachable")
        socket = self.kind_of_socket(self)
        self.sockets.append(socket)
        return socket

    def options(self, **more: Any) -> Options:
        return Options(connector=self.open, request_json=self.http, random=lambda: 0.0, **more)

    async def http(
        self,
        method: str,
        url: str,
        *,
        bearer: str | None = None,
        body: Mapping[str, Any] | None = None,
        certificate: str | None = None,
    ) -> Any:
        path = url.removeprefix("https://fabric.signalwire.com")
        self.http_calls.append((method, path, bearer, dict(body or {})))
        self._changed.set()
        answer = self.pages.get(path)
        if answer is None:
            raise HttpError(f"{path} is not here", status=404)
        return answer(body) if callable(answer) else answer

    # -- what it was asked -----------------------------------------------------------------------------

    def take(self, socket: MemorySocket, text: str) -> None:
        frame = m.parse(text)
        if isinstance(frame, m.Response):
            self.responses.append(frame)
        else:
            self.requests.append(frame)
            if (reply := self._reply(frame)) is not None:
                socket.deliver(m.encode(reply))
        self._changed.set()

    def _reply(self, request: m.Request) -> m.Response | None:
        name = verto(request).method if request.method == "webrtc.verto" else request.method
        if name in self.silent:
            return None
        if self.refusals.get(name):
            code = self.refusals[name].pop(0)
            if code:
                return m.error_response(request.id, code, "refused")
        if name in self.answers:
            return m.response(request.id, self.answers[name](request))
        if request.method == "signalwire.connect":
            resuming = "protocol" in request.params
            if not resuming:
                self.protocol = f"{PROTOCOL}_{self.connects}"
            return m.response(
                request.id,
                m.ConnectResult("me@host", self.protocol, m.Authorization("jti", "project"), [m.IceServer(["stun:x"])]),
            )
        if request.method == "webrtc.verto":
            return m.response(request.id, self._verto_result(request))
        return m.response(request.id, {"code": "200", "message": "OK"})

    def _verto_result(self, request: m.Request) -> dict[str, Any]:
        message = verto(request)
        inner: dict[str, Any] = {"jsonrpc": "2.0", "id": message.id}
        if message.method in self.verto_refusal:
            inner["error"] = {"code": -32000, "message": self.verto_refusal[message.method]}
        elif message.method == "verto.invite":
            call_id = message.params["dialogParams"]["callID"]
            inner["result"] = {"message": "CALL CREATED", "callID": call_id, "memberID": "member-1"}
        else:
            inner["result"] = {"method": message.method, "action": message.params.get("action", "")}
            if message.params.get("action") == "updateMedia":
                inner["result"]["sdp"] = "answer"
        return {"node_id": "node-1", "code": "200", "result": inner}

    async def asked(self, name: str, count: int = 1) -> m.Request:
        """Wait until it was asked `name` (a method, or a verto method) `count` times; the last of these."""

        def found() -> list[m.Request]:
            return [
                request
                for request in self.requests
                if name in {request.method, verto(request).method if request.method == "webrtc.verto" else ""}
            ]

        await self.until(lambda: len(found()) >= count)
        return found()[count - 1]

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not condition():
                self._changed.clear()
                await asyncio.wait({asyncio.ensure_future(self._changed.wait())}, timeout=0.01)

    def count(self, name: str) -> int:
        return sum(request.method == name for request in self.requests)

    # -- what it tells ---------------------------------------------------------------------------------

    def say(self, text: str) -> None:
        self.sockets[-1].deliver(text)

    def tell(self, event_type: str, params: dict[str, Any], *, event_id: str | None = None, **more: Any) -> str:
        event = m.Event(event_type, params, **{"event_channel": self.protocol, "node_id": "node-1", **more})
        request = m.request("signalwire.event", event, id=event_id)
        self.say(m.encode(request))
        return str(request.id)

    def verto(self, method: str, call_id: str, **params: Any) -> str:
        message = m.VertoMessage(method, {"callID": call_id, **params}, id=7)
        return self.tell("webrtc.message", m.builtins(message))

    def invite(self, call_id: str = "call-1", **more: Any) -> None:
        fields = {"caller_id_name": "House", "caller_id_number": "/private/house", "callee_id_number": "/private/door"}
        self.verto("verto.invite", call_id, sdp="offer", **{**fields, **more})

    def cut(self) -> None:
        self.sockets[-1].cut()


class Tokens:
    """A credential provider that counts."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens) or ["token"]
        self.asked = 0
        self.expires_at: float | None = None

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        self.asked += 1
        return Credential(self.tokens[min(self.asked, len(self.tokens)) - 1], self.expires_at)


def verto(request: m.Request) -> m.VertoMessage:
    return m.decode(request.params["message"], m.VertoMessage)
