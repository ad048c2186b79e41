"""Many clients at once at the control socket and at the panel's page: a burst is served, a crowd keeps nobody out."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from gpiozero.pins.mock import MockFactory, MockPWMPin

from intercom.config import DoorConfig, PanelConfig
from intercom.control import admission
from intercom.control.admission import Admission
from intercom.control.client import Client
from intercom.control.server import Caller, ControlServer
from intercom.panel import FrontPanel, PanelPage
from intercom.panel.simulated.page_server import CONNECTIONS_OF_AN_ADDRESS

BURST = 40
CROWD = 200
ANNA, BEN = 1000, 1001
SOON_S = 0.01
WAIT_S = 60.0


# -- the control socket --------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def door(tmp_path: Path) -> AsyncIterator[ControlServer]:
    async def status(_: Caller, __: Mapping[str, Any]) -> dict[str, Any]:
        await asyncio.sleep(SOON_S)
        return {}

    def fault(error: OSError) -> None:
        pytest.fail(str(error))

    server = ControlServer(tmp_path / "control.sock", {"status": status}, status=dict, version="1", on_fault=fault)
    server._admission = Admission(wait_s=WAIT_S)  # a busy machine serves forty in more than the usual 0.8 s
    await server.start()
    yield server
    await server.stop()


async def test_a_burst_of_forty_clients_is_served_to_the_last(door: ControlServer) -> None:
    begun = asyncio.Barrier(BURST)

    def ask() -> Any:
        with Client(door.path, hello_s=WAIT_S) as client:
            return client.ask("status")

    async def one() -> Any:
        await begun.wait()
        return await asyncio.to_thread(ask)

    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(BURST))
    assert await asyncio.gather(*(one() for _ in range(BURST))) == [{}] * BURST


async def hold(places: Admission, user: int, count: int, stack: AsyncExitStack) -> int:
    """Hold places for this many clients of a user; how many got one."""
    return sum([await stack.enter_async_context(places.place(user)) for _ in range(count)])


async def test_one_user_s_crowd_leaves_places_for_another() -> None:
    places = Admission(wait_s=SOON_S)
    async with AsyncExitStack() as stack:
        assert await hold(places, ANNA, admission.PLACES, stack) == admission.PLACES_OF_A_USER
        assert await hold(places, BEN, 1, stack) == 1


async def test_of_those_who_wait_the_user_with_the_fewest_places_is_next() -> None:
    places = Admission(wait_s=WAIT_S)
    order: list[int] = []

    async def wait(user: int) -> None:
        async with places.place(user):
            order.append(user)

    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(AsyncExitStack())
        await hold(places, ANNA, 12, first)
        await hold(places, BEN, 12, stack)
        waiting = [asyncio.create_task(wait(user)) for user in (BEN, ANNA)]
        await asyncio.sleep(0)
        await first.aclose()
        await asyncio.gather(*waiting)
    assert order == [ANNA, BEN]


async def test_a_client_that_goes_while_it_waits_takes_no_place_with_it() -> None:
    places = Admission(wait_s=WAIT_S)
    async with AsyncExitStack() as stack:
        await hold(places, ANNA, admission.PLACES_OF_A_USER, stack)
        gone = asyncio.create_task(hold(places, ANNA, 1, stack))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
    async with AsyncExitStack() as stack:
        assert await hold(places, ANNA, admission.PLACES_OF_A_USER, stack) == admission.PLACES_OF_A_USER


async def test_no_more_wait_than_may() -> None:
    places = Admission(wait_s=WAIT_S)
    async with AsyncExitStack() as stack:
        await hold(places, ANNA, admission.PLACES_OF_A_USER, stack)
        queue = [asyncio.create_task(hold(places, ANNA, 1, stack)) for _ in range(admission.WAITING_OF_A_USER)]
        await asyncio.sleep(0)
        assert await hold(places, ANNA, 1, stack) == 0
        for task in queue:
            task.cancel()
        await asyncio.gather(*queue, return_exceptions=True)


# -- the panel's page ------------------------------------------------------------------------------------------


@pytest_asyncio.fixture
async def page() -> AsyncIterator[PanelPage]:
    async def no_picture() -> bytes:
        raise OSError("no camera")

    with FrontPanel(PanelConfig(), DoorConfig(), pin_factory=MockFactory(pin_class=MockPWMPin)) as panel:
        page = PanelPage(panel, "127.0.0.1:0", no_picture)
        await page.start()
        yield page
        await page.stop()


async def test_one_address_has_no_more_connections_to_the_page_than_a_house_needs(page: PanelPage) -> None:
    host, _, port = page.url.removeprefix("http://").rstrip("/").partition(":")
    ended = []
    async with AsyncExitStack() as stack:
        for _ in range(CROWD):
            reader, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            ended.append(asyncio.create_task(reader.read()))
        async with asyncio.timeout(WAIT_S):
            for _, refused in zip(range(CROWD - CONNECTIONS_OF_AN_ADDRESS), asyncio.as_completed(ended), strict=False):
                await refused
        assert sum(not task.done() for task in ended) == CONNECTIONS_OF_AN_ADDRESS
        for task in ended:
            task.cancel()
        await asyncio.gather(*ended, return_exceptions=True)


async def test_the_page_is_there_again_once_the_crowd_went(page: PanelPage) -> None:
    async with aiohttp.ClientSession() as http:
        sockets = [await http.ws_connect(f"{page.url}pins") for _ in range(CONNECTIONS_OF_AN_ADDRESS)]
        with pytest.raises(aiohttp.ClientError):
            await http.ws_connect(f"{page.url}pins")
        for one in sockets:
            await one.close()
        async with asyncio.timeout(WAIT_S), http.get(page.url) as answer:
            assert answer.status == 200


async def test_the_page_is_there_again_once_the_system_has_descriptors(
    page: PanelPage, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    accept, refused = loop.sock_accept, asyncio.Event()

    async def accept_none_at_first(listening: socket.socket) -> tuple[socket.socket, Any]:
        connection, address = await accept(listening)
        if not refused.is_set():
            refused.set()
            connection.close()
            raise OSError(errno.EMFILE, "Too many open files")
        return connection, address

    monkeypatch.setattr(loop, "sock_accept", accept_none_at_first)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http, asyncio.timeout(WAIT_S):
        while not refused.is_set():
            with contextlib.suppress(aiohttp.ClientError):
                await http.get(page.url)
        async with http.get(page.url) as answer:
            assert answer.status == 200
