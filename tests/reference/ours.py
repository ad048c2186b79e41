"""Our client, led by the same script as the reference client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

from intercom.signalwire import AiortcMedia, Credential, Options, SignalWire, WebRTCCall
from intercom.signalwire.account.credentials import CredentialProvider
from intercom.signalwire.link.transport import Socket, open_websocket
from intercom.space import Space
from intercom.space.auth.tokens import REFRESH_SCOPE

WAIT_S = 60.0


class Minted:
    """A credential provider that is given a new token each time.

    :param refreshable: whether the token may be bound to a key.
    :param lifetime_s: how long each lasts; None: as long as the space lets it.
    """

    def __init__(
        self, space: Space, reference: str, *, refreshable: bool = False, lifetime_s: int | None = None
    ) -> None:
        self.tokens: list[str] = []
        self._space, self._reference = space, reference
        self._scope = [REFRESH_SCOPE] if refreshable else []
        self._lifetime_s = lifetime_s

    async def authenticate(self, fingerprint: str | None = None) -> Credential:
        subscriber = self._space.store.add_subscriber(self._reference)
        token, expires_at = self._space.tokens.issue(
            subscriber, scope=self._scope, fingerprint=fingerprint or "", lifetime_s=self._lifetime_s
        )
        self.tokens.append(token)
        return Credential(token, expires_at)


class ObservedSocket:
    """A real socket, and a list of what passes."""

    def __init__(self, socket: Socket, frames: list[dict[str, Any]]) -> None:
        self._socket, self._frames = socket, frames

    def send(self, text: str) -> None:
        self._frames.append({"from": "client", "frame": json.loads(text)})
        self._socket.send(text)

    @property
    def unsent_bytes(self) -> int:
        return self._socket.unsent_bytes

    async def frames(self) -> AsyncIterator[str | bytes]:
        async for frame in self._socket.frames():
            self._frames.append({"from": "space", "frame": json.loads(frame)})
            yield frame

    async def close(self) -> None:
        await self._socket.close()


class OurActor:
    """Our client at a space without TLS, with real media that is silent; `said` is every frame so far."""

    def __init__(
        self, space: Space, reference: str, *, refreshable: bool = False, provider: CredentialProvider | None = None
    ) -> None:
        self.said: list[dict[str, Any]] = []
        self._sockets = 0
        self._calls: dict[str, WebRTCCall] = {}
        self._history: dict[str, list[str]] = {}
        self._rung: set[str] = set()
        self._changed = asyncio.Event()
        self.client = SignalWire(
            provider or Minted(space, reference, refreshable=refreshable),
            media=AiortcMedia(),
            options=Options(relay_url=space.relay_url, api_url=space.url, connector=self._open, watch_network=False),
        )
        self.client.preferences.ice_servers = []
        self.client.session.calls_stream.subscribe(self._listed)
        self.client.is_registered_stream.subscribe(lambda _: self._changed.set())

    async def __aenter__(self) -> OurActor:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.destroy()

    async def _open(self, url: str, certificate: str | None) -> ObservedSocket:
        socket = ObservedSocket(await open_websocket(url, certificate), self.said)
        self._sockets += 1
        return socket

    def _listed(self, calls: tuple[WebRTCCall, ...]) -> None:
        for call in calls:
            if call.id not in self._calls:
                self._calls[call.id] = call
                history = self._history[call.id] = []
                call.status_stream.subscribe(partial(self._became, history))
        self._changed.set()

    def _became(self, history: list[str], status: str) -> None:
        history.append(str(status))
        self._changed.set()

    async def _until(self, holds: Callable[[], bool]) -> None:
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def start(self) -> None:
        await self.client.register()

    async def frames(self) -> list[dict[str, Any]]:
        return list(self.said)

    async def dial(self, destination: str) -> str:
        return (await self.client.dial(destination, video=False)).id

    async def ringing(self) -> str:
        await self._until(lambda: any(call.id not in self._rung for call in self.client.session.incoming_calls))
        call = next(call.id for call in self.client.session.incoming_calls if call.id not in self._rung)
        self._rung.add(call)
        return call

    async def answer(self, call: str) -> None:
        await self._calls[call].answer(video=False)

    async def reject(self, call: str) -> None:
        await self._calls[call].reject()

    async def hangup(self, call: str) -> None:
        await self._calls[call].hangup()

    async def digits(self, call: str, digits: str) -> None:
        await self._calls[call].send_digits(digits)

    async def toggle_hold(self, call: str) -> None:
        await self._calls[call].toggle_hold()

    async def transfer(self, call: str, destination: str) -> None:
        await self._calls[call].transfer(destination)

    async def register(self) -> None:
        await self.client.register()

    async def unregister(self) -> None:
        await self.client.unregister()

    async def reaches(self, call: str, status: str) -> None:
        await self._until(lambda: status in self._history[call])

    async def comes_back(self, sockets: int) -> None:
        await self._until(lambda: self._sockets == sockets and self.client.is_registered)
