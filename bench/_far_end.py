"""A resident without a screen: registered with the space, it notes when an invite arrives."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import reactivex
from reactivex import Observable

from intercom.signalwire import SignalWire, SpaceCredentials, WebRTCCall
from intercom.signalwire.media import MediaProvider
from intercom.space import Space


class NoMedia:
    """Media for a client that never answers."""

    state_stream: Observable[str] = reactivex.never()

    def open(self, call_id: str, ice_servers: Sequence[Mapping[str, Any]], **kinds: bool) -> NoMedia:
        """Nothing to open."""
        return self

    async def create_offer(self) -> str:
        raise NotImplementedError("a far end that only listens makes no offer")

    async def create_answer(self, offer: str) -> str:
        raise NotImplementedError("a far end that only listens does not answer")

    async def accept_answer(self, answer: str) -> None:
        raise NotImplementedError("a far end that only listens is not answered")

    async def close(self) -> None:
        """Nothing to close."""


class FarEnd:
    """A member of the house's group."""

    def __init__(
        self, space: Space, directory: Path, name: str = "listener", *, media: MediaProvider | None = None
    ) -> None:
        file = directory / f"{name}.json"
        space.store.add_subscriber(name, name.capitalize(), groups=("house",))
        space.write_credential(name, file)
        self._rang: asyncio.Queue[tuple[float, WebRTCCall]] = asyncio.Queue()
        self._known: set[str] = set()
        self.client = SignalWire(SpaceCredentials(file), media=media or NoMedia())

    async def start(self) -> None:
        """Register."""
        self.client.session.incoming_calls_stream.subscribe(self._listed)
        await self.client.register()

    async def stop(self) -> None:
        """Go away."""
        await self.client.destroy()

    def _listed(self, calls: Sequence[WebRTCCall]) -> None:
        for call in calls:
            if call.id not in self._known:
                self._known.add(call.id)
                self._rang.put_nowait((time.time(), call))

    async def rings(self, timeout_s: float = 30.0) -> tuple[float, WebRTCCall]:
        """When the next invite was here (seconds since 1970), and its call."""
        async with asyncio.timeout(timeout_s):
            return await self._rang.get()
