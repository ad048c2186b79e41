"""Mozilla's push service on this machine (autopush), as far as Firefox and senders of pushes see it.

Firefox keeps a WebSocket to it (`dom.push.serverURL`), a sender posts to the endpoint that it gave out. It judges a
sender as the real one does: by the VAPID token, the key of the subscription, the TTL and the length of the body.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import jwt
from aiohttp import WSMsgType, web
from cryptography.hazmat.primitives.asymmetric import ec

from intercom.space.push.vapid import decoded, encoded

BODY_LIMIT_BYTES = 4096
TOKEN_LIMIT_S = 24 * 3600
PREFERENCE_URL = "dom.push.serverURL"
PREFERENCES: dict[str, bool | int | str] = {
    "dom.webnotifications.requireinteraction.count": 1000,  # the little windows of a Firefox without a desktop: three
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.connection.enabled": True,
    "permissions.default.desktop-notification": 1,
}


@dataclass
class Channel:
    """One subscription of one browser."""

    uaid: str
    channel_id: str
    key: str
    waiting: dict[str, dict[str, Any]] = field(default_factory=dict)
    "Pushes for a browser that is not there, by topic."


@dataclass
class MozillaPush:
    """The service, and what it passed on."""

    port: int = 0
    channels: dict[str, Channel] = field(default_factory=dict)
    "The subscriptions, by the last part of their endpoint."
    refused: list[str] = field(default_factory=list)
    "Why senders were refused."
    passed_on: int = 0
    _sockets: dict[str, web.WebSocketResponse] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        """Its place, for `space.push_servers`."""
        return f"127.0.0.1:{self.port}"

    @property
    def preferences(self) -> dict[str, bool | int | str]:
        """What makes Firefox use it, and allow notifications without asking."""
        return {**PREFERENCES, PREFERENCE_URL: f"ws://{self.authority}/"}

    # -- the browser's side: autopush's WebSocket ------------------------------------------------------------

    async def socket(self, request: web.Request) -> web.StreamResponse:
        """Serve one browser."""
        socket = web.WebSocketResponse(protocols=("push-notification",))
        await socket.prepare(request)
        uaid = ""
        async for message in socket:
            if message.type is not WSMsgType.TEXT:
                continue
            told = json.loads(message.data)
            match told.get("messageType"):
                case "hello":
                    uaid = told.get("uaid") or uuid.uuid4().hex
                    self._sockets[uaid] = socket
                    hello: dict[str, Any] = {
                        "messageType": "hello",
                        "uaid": uaid,
                        "status": 200,
                        "use_webpush": True,
                        "broadcasts": {},
                    }
                    await socket.send_json(hello)
                    await self._deliver_waiting(uaid)
                case "register":
                    await socket.send_json(self._register(uaid, told["channelID"], told.get("key", "")))
                case "unregister":
                    self.channels = {n: c for n, c in self.channels.items() if c.channel_id != told["channelID"]}
                    gone = {"messageType": "unregister", "channelID": told["channelID"], "status": 200}
                    await socket.send_json(gone)
                case None if told == {}:
                    await socket.send_str("{}")  # a ping
        if self._sockets.get(uaid) is socket:
            del self._sockets[uaid]
        return socket

    def _register(self, uaid: str, channel_id: str, key: str) -> dict[str, Any]:
        name = uuid.uuid4().hex
        self.channels[name] = Channel(uaid, channel_id, key)
        endpoint = f"http://{self.authority}/wpush/v2/{name}"
        return {"messageType": "register", "channelID": channel_id, "status": 200, "pushEndpoint": endpoint}

    async def _deliver_waiting(self, uaid: str) -> None:
        for channel in self.channels.values():
            if channel.uaid == uaid:
                waiting, channel.waiting = channel.waiting, {}
                for push in waiting.values():
                    await self._deliver(channel, push)

    async def _deliver(self, channel: Channel, push: dict[str, Any], topic: str = "") -> None:
        socket = self._sockets.get(channel.uaid)
        if socket is None or socket.closed:
            channel.waiting[topic or uuid.uuid4().hex] = push
            return
        await socket.send_json(push)
        self.passed_on += 1

    # -- the sender's side: RFC 8030 and 8292 ----------------------------------------------------------------

    async def push(self, request: web.Request) -> web.StreamResponse:
        """Take a push."""
        channel = self.channels.get(request.match_info["name"])
        if channel is None:
            return self._refuse(410, "no such subscription")
        body = await request.read()
        if len(body) > BODY_LIMIT_BYTES:
            return self._refuse(413, "too long")
        if not request.headers.get("TTL", "").isdecimal():
            return self._refuse(400, "no TTL")
        if (why := self._stranger(request, channel)) != "":
            return self._refuse(401, why)
        push = {
            "messageType": "notification",
            "channelID": channel.channel_id,
            "version": uuid.uuid4().hex,
            "data": encoded(body),
            "headers": {"encoding": request.headers.get("Content-Encoding", "")},
        }
        await self._deliver(channel, push, request.headers.get("Topic", ""))
        return web.Response(status=201, headers={"Location": f"http://{self.authority}/m/{push['version']}"})

    def _stranger(self, request: web.Request, channel: Channel) -> str:
        """Return why a sender is not the one whom the browser let push; "" if it is."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "vapid" or decoded(fields.get("k", "")) != decoded(channel.key):
            return "another key"
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), decoded(fields["k"]))
        try:
            claims = jwt.decode(fields["t"], point, algorithms=["ES256"], audience=f"http://{self.authority}")
        except jwt.InvalidTokenError as problem:
            return str(problem)
        return "" if claims["exp"] - time.time() <= TOKEN_LIMIT_S and claims.get("sub") else "a token for too long"

    def _refuse(self, status: int, why: str) -> web.Response:
        self.refused.append(why)
        return web.json_response({"code": status, "error": why}, status=status)


@contextlib.asynccontextmanager
async def mozilla_push() -> AsyncIterator[MozillaPush]:
    """Run one."""
    service = MozillaPush()
    application = web.Application()
    application.router.add_get("/", service.socket)
    application.router.add_post("/wpush/v2/{name}", service.push)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.port = runner.addresses[0][1]
    try:
        yield service
    finally:
        for socket in list(service._sockets.values()):
            await asyncio.wait_for(socket.close(), 5)
        await runner.cleanup()
