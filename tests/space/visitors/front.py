"""A house with a front door and a resident's open page, which looks at the visitors' list."""

from __future__ import annotations

import asyncio
import base64
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from intercom.config import HistoryConfig, SpaceConfig
from intercom.space import Space
from tests.space.conftest import ANSWER, OFFER, WAIT_S, Client, House

JPEG = b"\xff\xd8\xff\xe0" + b"a face" * 1000
PAGE = "intercom-station/0.1 rings/1"
SHOWN = HistoryConfig(snapshots=True)


@dataclass
class Front:
    """The door, the page, and the page's device."""

    house: House
    door: Client
    page: Client
    headers: dict[str, str] = field(default_factory=dict)

    async def press(self, ring: str = "press-1", button: str = "") -> str:
        """Let the visitor press; return the id of the door's call."""
        variables = {"intercom": {"role": "door", "ring": ring, "button": button}}
        return await self.door.dial("/private/house", userVariables=variables)

    async def show(self, call: str, jpeg: bytes = JPEG) -> None:
        """Let the door show the picture of the press."""
        params = {"callID": call, "jpeg": base64.b64encode(jpeg).decode(), "age_ms": 20}
        assert "result" in await self.door.rpc("intercom.still", params)

    async def answer(self) -> str:
        """Answer at the page; return the id of the page's end."""
        ringing = await self.page.ringing()
        await self.page.verto("verto.answer", ringing, sdp=ANSWER)
        return ringing

    async def give_up(self, call: str) -> None:
        """Let the visitor give up."""
        await self.door.verto("verto.bye", call, cause="ORIGINATOR_CANCEL")

    async def told(self, state: str = "", *, picture: bool = False) -> dict[str, Any]:
        """The next event about the list that names a visit of this state, or any; return what it tells."""
        async with asyncio.timeout(WAIT_S):
            while True:
                event = await self.page.room_events.get()
                told: dict[str, Any] = event["params"]
                visits = told.get("visitors", [])
                if event["event_type"] != "intercom.visitors":
                    continue
                if not state or any(one["state"] == state and one["picture"] >= picture for one in visits):
                    return told

    async def list(self, query: str = "limit=200", headers: dict[str, str] | None = None) -> dict[str, Any]:
        """The list as the page reads it."""
        url = f"{self.house.space.url}/api/space/visitors?{query}"
        async with self.house.http.get(url, headers=self.headers if headers is None else headers) as answer:
            assert answer.status == 200, await answer.text()
            found: dict[str, Any] = await answer.json()
            return found

    async def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Ask anything; return status and body."""
        url = f"{self.house.space.url}/api/space/visitors{path}"
        given = self.headers if headers is None else headers
        async with self.house.http.request(method, url, headers=given) as answer:
            return answer.status, await answer.read()


async def front_of(house: House) -> Front:
    """Let a door and a page join a house, which may know them already."""
    store = house.space.store
    store.add_subscriber("door", "Front door", kind="door")
    anna = store.add_subscriber("anna", "Anna", groups=("house",))
    headers = {"Authorization": f"Bearer {store.add_device(anna, 'Anna')}"}
    return Front(house, await house.join("door"), await house.station("anna", agent=PAGE), headers)


@contextlib.asynccontextmanager
async def front(directory: Path, history: HistoryConfig = SHOWN) -> AsyncIterator[Front]:
    """Run a space that keeps what `history` says."""
    space = Space(SpaceConfig(listen="127.0.0.1:0"), directory, history=history)
    await space.start()
    async with aiohttp.ClientSession() as http:
        house = House(space, http)
        try:
            yield await front_of(house)
        finally:
            for client in house.clients:
                await client.close()
            await space.stop()


__all__ = ["JPEG", "OFFER", "PAGE", "SHOWN", "Front", "front", "front_of"]
