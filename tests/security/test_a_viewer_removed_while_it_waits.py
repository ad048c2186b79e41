"""A viewer shows its token, waits until it is removed, and only then asks to watch: the door is asked nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from intercom.space import Membership
from intercom.space.http.viewer_api import FIRST_OFFER_LIMIT_S, ViewerApi
from intercom.space.viewers.tokens import Viewer
from tests.space.conftest import ANSWER, OFFER, WAIT_S
from tests.space.http.test_viewer_api import Street, street

__all__ = ["street"]

CLOSED = {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


def remove(street: Street, state_dir: Path) -> None:
    """Remove the viewer, and let the space look: it does so by itself within half a second."""
    with Membership(state_dir) as members:
        members.viewers.remove("frigate")
    street.house.space.store.changed_elsewhere()


async def test_a_socket_opened_before_the_removal_shows_nothing_after_it(street: Street, tmp_path: Path) -> None:
    socket = await street.socket()
    remove(street, tmp_path / "state")
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    assert (await socket.receive(WAIT_S)).type in CLOSED
    await street.is_asked_nothing()


async def test_an_offer_begun_before_the_removal_shows_nothing_after_it(
    street: Street, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watching, judged = street.house.space.watching, asyncio.Event()
    judge = watching.owner_of

    def judge_and_tell(token: str) -> Viewer | None:
        judged.set()
        return judge(token)

    async def dribbled() -> AsyncIterator[bytes]:
        yield OFFER[:9].encode()
        await judged.wait()
        remove(street, tmp_path / "state")
        yield OFFER[9:].encode()

    monkeypatch.setattr(watching, "owner_of", judge_and_tell)
    where = f"{street.url}/whep/door"
    async with street.house.http.post(where, data=dribbled(), headers=street.headers()) as answer:
        assert answer.status == 401
    await street.is_asked_nothing()


class Patience:
    """The time that the space waits for an offer: it passes when a test says so."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[float] = asyncio.Queue()
        self.over = asyncio.Event()

    async def sleep(self, seconds: float) -> None:
        self.asked.put_nowait(seconds)
        await self.over.wait()


async def test_a_socket_that_asks_for_nothing_is_closed(street: Street) -> None:
    patience, app, space = Patience(), web.Application(), street.house.space
    viewers = ViewerApi(space.watching, space.store, joined=lambda *_: None, sleep=patience.sleep)
    app.add_routes(viewers.routes())
    async with TestServer(app) as server:
        where = server.make_url("/api/ws")
        watches = await street.house.http.ws_connect(where, headers=street.headers())
        assert await asyncio.wait_for(patience.asked.get(), WAIT_S) == FIRST_OFFER_LIMIT_S
        await watches.send_json({"type": "webrtc/offer", "value": OFFER})
        await street.answers()
        assert (await watches.receive_json(timeout=WAIT_S))["value"] == ANSWER
        idles = await street.house.http.ws_connect(where, headers=street.headers())
        await asyncio.wait_for(patience.asked.get(), WAIT_S)
        await idles.send_json({"type": "webrtc/candidate", "value": "x"})
        patience.over.set()
        assert (await idles.receive(WAIT_S)).type in CLOSED
        assert len(street.house.space.watching) == 1
        assert not watches.closed, "who watches stays"
