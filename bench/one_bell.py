"""From the end of a ring to the silence of the last bell: five pages and three sleeping phones ring, one page answers.

The space has a process of its own. The pages are raw clients that hear of rings as the station page does; a page is
silent once it knows who took the ring and its own call is over. A phone that sleeps is silent once its push service has
the news that takes the ring's place. `p95_ms` runs from the request that answers, refuses, opens or gives up until the
last of all the others is silent; each way is measured as often.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import aiohttp

from bench._space_process import SpaceProcess, space_process
from bench.report import Report, percentile, spread
from tests.space.conftest import ANSWER, WAIT_S, Client
from tests.space.push.service import PushService, push_service

PAGES = 5
PHONES = "phone-0", "phone-1", "phone-2"
RINGS = 40
"""Rings that end in each way."""
BETWEEN_S = 0.3
"""Pause after each ring: the space skips the frames of a client that sends more than 50 a second."""
AGENT = "bench/1 rings/1"


End = Callable[[Client, str, Client, str], Awaitable[object]]
"""Ends a ring, given the door and its callID, and a page and its callID."""


async def run() -> Report:
    """Ring forty times for each way to end a ring."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        async with push_service() as service, aiohttp.ClientSession() as http:
            endpoints = [service.endpoint(phone) for phone in PHONES]
            async with space_process(Path(temporary), *endpoints) as space:
                door = await _join(http, space, "door", "raw/1")
                pages = [await _join(http, space, "resident", AGENT) for _ in range(PAGES)]
                took = {
                    way: [await _ring(door, pages, service, number * RINGS + ring, end) for ring in range(RINGS)]
                    for number, (way, end) in enumerate(WAYS.items())
                }
                for client in (door, *pages):
                    await client.close()
    figures = spread([one for some in took.values() for one in some])
    figures |= {f"{way}_p95_ms": round(percentile(some, 95), 1) for way, some in took.items()}
    return Report("one-bell", figures, {"p95_ms": 300.0})


async def _ring(door: Client, pages: list[Client], service: PushService, before: int, end: End) -> float:
    """Let the door ring after so many rings, end it, and return how long the last of the others took, in ms."""
    mine = await door.dial("/private/house")
    theirs = [await page.ringing() for page in pages]
    await asyncio.gather(*[_pushed(service, phone, 2 * before + 1) for phone in PHONES])
    began = time.perf_counter()
    ending = asyncio.ensure_future(end(door, mine, pages[0], theirs[0]))
    silent = await asyncio.gather(
        *[_silent(page) for page in pages[1:]], *[_pushed(service, phone, 2 * before + 2) for phone in PHONES]
    )
    await ending
    await door.verto("verto.bye", mine)
    await asyncio.sleep(BETWEEN_S)
    for client in (door, *pages):
        await _drained(client)
    return (max(silent) - began) * 1000


async def _silent(page: Client) -> float:
    """Return the time at which a page knows who took the ring and has heard that its call is over."""
    await page.heard("verto.bye")
    while (await asyncio.wait_for(page.room_events.get(), WAIT_S))["params"].get("state") in (None, "ringing"):
        pass
    return time.perf_counter()


async def _pushed(service: PushService, phone: str, count: int) -> float:
    """Return the time at which so many pushes for a phone have reached its service."""
    await service.push(count, f"/{phone}")
    return time.perf_counter()


async def _drained(client: Client) -> None:
    """Forget what else a client heard of the last ring."""
    await client.rpc("signalwire.ping")
    for queue in (client.events, client.room_events):
        while not queue.empty():
            queue.get_nowait()


async def _join(http: aiohttp.ClientSession, space: SpaceProcess, name: str, agent: str) -> Client:
    answer = await http.post(
        f"{space.url}/api/fabric/subscribers/tokens",
        json={"reference": name},
        auth=aiohttp.BasicAuth(space.project_id, space.api_token),
    )
    client = Client(await http.ws_connect(space.relay_url))
    await client.connect((await answer.json())["token"], agent=agent)
    await client.rpc("subscriber.online")
    return client


WAYS: dict[str, End] = {
    "answered": lambda door, mine, page, theirs: page.verto("verto.answer", theirs, sdp=ANSWER),
    "refused": lambda door, mine, page, theirs: page.verto("verto.bye", theirs, cause="CALL_REJECTED", causeCode=21),
    "opened": lambda door, mine, page, theirs: door.verto("verto.info", mine, intercom={"door": "open", "by": "Anna"}),
    "given_up": lambda door, mine, page, theirs: door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL"),
}
