"""A program hears what happens at the door, and misses nothing of the last thousand facts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from intercom.facts import DoorOpened, Pressed
from intercom.history.journal import FACTS_KEPT
from intercom.integrations.api.events import READERS_OF_A_TOKEN
from intercom.integrations.fact_documents import RUN
from tests.integrations.api.served import Served, served

PRESS = Pressed("/private/house")
OPENING = DoorOpened("Anna")
LIMIT_S = 60


async def types_of(api: Served, **query: str) -> list[str]:
    _, content = await api.get("/events", wait="0", **query)
    return [event["type"] for event in content["events"]]


async def frames(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, str]]:
    """Yield the server-sent events of a stream; a frame without fields is a heartbeat."""
    frame: dict[str, str] = {}
    async for line in answer.content:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(":")
            frame[name] = value.strip()
            continue
        yield frame
        frame = {}


async def next_of(stream: AsyncIterator[dict[str, str]], kind: str) -> dict[str, Any]:
    """Return the next event of this kind."""
    async with asyncio.timeout(LIMIT_S):
        async for frame in stream:
            if frame.get("event") == kind:
                return {"id": frame.get("id"), **msgspec.json.decode(frame["data"])}
    raise AssertionError(f"the stream ended without {kind}")


async def test_a_long_poll_tells_what_came_after_its_cursor(api: Served) -> None:
    _, begin = await api.get("/events", wait="0")
    api.stage.tell(PRESS, OPENING)
    _, content = await api.get("/events", after=begin["cursor"])
    assert [event["type"] for event in content["events"]] == ["pressed", "door_opened"]
    assert content["events"][1]["data"] == {"by": "Anna"}
    assert await types_of(api, after=content["cursor"]) == []


async def test_a_long_poll_waits_for_the_next_fact(api: Served) -> None:
    _, begin = await api.get("/events", wait="0")
    waiting = asyncio.create_task(api.get("/events", after=begin["cursor"], wait="60"))
    while not api.api._events._readers:
        await asyncio.sleep(0)
    api.stage.tell(PRESS)
    _, content = await asyncio.wait_for(waiting, LIMIT_S)
    assert [event["type"] for event in content["events"]] == ["pressed"]


async def test_without_a_cursor_a_poll_begins_with_now(api: Served) -> None:
    api.stage.tell(PRESS)
    assert await types_of(api) == []


async def test_the_cursor_0_reads_all_that_is_kept(api: Served) -> None:
    api.stage.tell(PRESS, OPENING)
    assert await types_of(api, after="0") == ["pressed", "door_opened"]


async def test_a_client_that_was_away_is_told_that_it_missed_facts(api: Served) -> None:
    api.stage.tell(*[PRESS] * (FACTS_KEPT + 5))
    _, content = await api.get("/events", after=f"{RUN}-2")
    assert content["missed"] is True
    assert len(content["events"]) == FACTS_KEPT
    assert (await api.get("/events", after=f"{RUN}-5"))[1]["missed"] is False


@pytest.mark.parametrize("cursor", ["00000000-3", f"{RUN}-9"])
async def test_a_cursor_of_an_earlier_run_reads_all_and_is_told_so(api: Served, cursor: str) -> None:
    api.stage.tell(PRESS)
    _, content = await api.get("/events", after=cursor)
    assert (content["missed"], len(content["events"])) == (True, 1)


@pytest.mark.parametrize("query", [{"after": "x"}, {"wait": "61"}, {"wait": "-1"}, {"wait": "1.5"}])
async def test_what_is_no_cursor_and_no_wait_is_refused(api: Served, query: dict[str, str]) -> None:
    assert (await api.get("/events", **query))[0] == 400


def stream_of(api: Served, **headers: str) -> Any:
    asked = api.bearer("viewer", Accept="text/event-stream", **headers)
    return api.http.get(api.url + "/events", headers=asked)


async def test_a_stream_tells_each_fact_with_its_cursor(api: Served) -> None:
    async with stream_of(api) as answer:
        assert answer.content_type == "text/event-stream"
        stream = frames(answer)
        api.stage.tell(PRESS)
        event = await next_of(stream, "pressed")
        assert event["data"]["address"] == "/private/house"
        assert event["id"] == f"{RUN}-1"


async def test_a_stream_goes_on_where_it_was_cut(api: Served) -> None:
    api.stage.tell(PRESS, OPENING)
    async with stream_of(api, **{"Last-Event-ID": f"{RUN}-1"}) as answer:
        assert (await next_of(frames(answer), "door_opened"))["id"] == f"{RUN}-2"


async def test_a_stream_says_what_it_cannot_tell_any_more(api: Served) -> None:
    api.stage.tell(PRESS)
    async with stream_of(api, **{"Last-Event-ID": "00000000-3"}) as answer:
        stream = frames(answer)
        await next_of(stream, "missed")
        await next_of(stream, "pressed")


async def test_the_stream_of_a_removed_token_ends(tmp_path: Path) -> None:
    async with served(tmp_path, heartbeat_s=0.05) as api, stream_of(api) as answer:
        api.tokens.remove("viewer")
        async with asyncio.timeout(LIMIT_S):
            await answer.read()


async def test_of_too_many_streams_of_a_token_the_oldest_gives_way(api: Served) -> None:
    async with stream_of(api) as oldest:
        others = [await stream_of(api) for _ in range(READERS_OF_A_TOKEN)]
        async with asyncio.timeout(LIMIT_S):
            await oldest.read()
        api.stage.tell(PRESS)
        for other in others:
            await next_of(frames(other), "pressed")
            other.close()


async def test_a_reader_that_takes_nothing_delays_nobody(api: Served) -> None:
    async with stream_of(api), stream_of(api) as reading:
        stream = frames(reading)
        api.stage.tell(*[DoorOpened("x" * 400)] * FACTS_KEPT, PRESS)
        await next_of(stream, "pressed")
