"""What one embedded space bears: 200 registered subscribers and 20 calls a second of pure signalling.

The space has a process of its own. Each call is an invite, an answer and a bye between two raw clients; session
descriptions have the size of a browser's. `invite_p95_ms` runs from the caller's request until the callee has the
invite, so it holds the raw clients' own time too. `cpu_core` is the space's processor time over the time it took.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bench._space_process import SpaceProcess, space_process
from bench.report import Report, percentile
from tests.space.conftest import ANSWER, OFFER, Client

SUBSCRIBERS = 200
CALLS_PER_S = 20
DURATION_S = 15.0
DESCRIPTION_BYTES = 8_000
"""An offer of sound and picture, with candidates, of a usual browser."""


@dataclass
class Result:
    """What the calls were like."""

    invite_ms: list[float] = field(default_factory=list)
    failures: Counter[str] = field(default_factory=Counter)


async def run() -> Report:
    """Register everybody, then call."""
    result = Result()
    with tempfile.TemporaryDirectory(prefix="bench-") as directory:
        async with space_process(Path(directory)) as space, aiohttp.ClientSession(connector=_many()) as http:
            clients = [await _join(http, space, number) for number in range(SUBSCRIBERS)]
            idle_rss_mb = space.rss_mb()
            cpu_s, began = space.cpu_s(), time.monotonic()
            await _calls(clients, result)
            took_s = time.monotonic() - began
            cpu_core = (space.cpu_s() - cpu_s) / took_s
            rss_mb = space.rss_mb()
            for client in clients:
                await client.close()
    figures = {
        "failed_calls": sum(result.failures.values()),
        "invite_p95_ms": round(percentile(result.invite_ms or [0.0], 95), 2),
        "cpu_core": round(cpu_core, 3),
        "rss_mb": round(rss_mb, 1),
        "registered_rss_mb": round(idle_rss_mb, 1),
        "calls": len(result.invite_ms),
    }
    notes = [f"{SUBSCRIBERS} subscribers, {CALLS_PER_S} calls a second for {DURATION_S:.0f} s."]
    notes += [f"{count} calls failed: {why}" for why, count in result.failures.items()]
    return Report("space-load", figures, {"failed_calls": 0}, notes=notes)


def _many() -> aiohttp.TCPConnector:
    return aiohttp.TCPConnector(limit=0)


async def _join(http: aiohttp.ClientSession, space: SpaceProcess, number: int) -> Client:
    async with http.post(
        f"{space.url}/api/fabric/subscribers/tokens",
        json={"reference": f"resident-{number}"},
        auth=aiohttp.BasicAuth(space.project_id, space.api_token),
    ) as minted:
        token = (await minted.json())["token"]
    client = Client(await http.ws_connect(space.relay_url))
    connected = await client.connect(token)
    assert "result" in connected, connected
    online = await client.rpc("subscriber.online")
    assert "result" in online, online
    return client


async def _calls(clients: list[Client], result: Result) -> None:
    """Start the calls in time, whatever the earlier ones do; the even call the odd, in turn."""
    began = time.monotonic()
    calls = []
    for number in range(int(CALLS_PER_S * DURATION_S)):
        await asyncio.sleep(max(0.0, began + number / CALLS_PER_S - time.monotonic()))
        callee = (2 * number + 1) % len(clients)
        calls.append(asyncio.create_task(_call(clients[callee - 1], clients[callee], callee, number, result)))
    await asyncio.wait(calls)


async def _call(caller: Client, callee: Client, callee_number: int, number: int, result: Result) -> None:
    call_id = f"call-{number}"
    try:
        invited_at = time.monotonic()
        dialog = {"destination_number": f"/private/resident-{callee_number}"}
        inviting = asyncio.create_task(caller.verto("verto.invite", call_id, sdp=_long(OFFER), dialog=dialog))
        theirs = await callee.ringing()
        result.invite_ms.append((time.monotonic() - invited_at) * 1000)
        created = await inviting
        assert created["result"]["message"] == "CALL CREATED", created
        answered = await callee.verto("verto.answer", theirs, sdp=_long(ANSWER))
        assert "error" not in answered, answered
        await caller.heard("verto.answer")
        await caller.verto("verto.bye", call_id, cause="NORMAL_CLEARING", causeCode=16)
        await callee.heard("verto.bye")
    except (AssertionError, KeyError, TimeoutError, OSError) as error:
        result.failures[f"{type(error).__name__} {error}"[:200]] += 1


def _long(sdp: str) -> str:
    line = "a=candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0\r\n"
    return sdp + line * ((DESCRIPTION_BYTES - len(sdp)) // len(line))
