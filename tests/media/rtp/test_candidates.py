"""Candidates that cannot be used cost a call nothing but themselves."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Iterator

import pytest
from aioice import mdns

from intercom.media.rtp.peer import DoorMedia
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import LIMIT_S, wait_for_state
from tests.media.events import Reported

MDNS_PORT = 5353
NAME = "3f9c1c2e-8d1b-4a5c-9d6b-0f2d4a7b9c11.local"
CANDIDATE = re.compile(r"(a=candidate:\S+ \d+ \S+ \d+ )(\S+)")


@pytest.fixture
def port_of_mdns_is_held() -> Iterator[None]:
    """By a program that does not share it: this one, unless another does already."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as holder:
        try:
            holder.bind(("", MDNS_PORT))
        except OSError:
            holder.close()
        yield


@pytest.mark.usefixtures("port_of_mdns_is_held")
async def test_a_browser_that_names_its_address_is_answered_though_the_port_of_mdns_is_taken(
    engine: AudioEngine, far_engine: AudioEngine, events: Reported[object]
) -> None:
    browser = DoorMedia(far_engine, on_event=events).open("browser", [], video=False)
    door = DoorMedia(engine, on_event=events).open("door", [], video=False)
    offer = CANDIDATE.sub(rf"\g<1>{NAME}", await browser.create_offer())
    try:
        await browser.accept_answer(await door.create_answer(offer))
        await wait_for_state(browser, "connected")
        await wait_for_state(door, "connected")
    finally:
        await browser.close()
        await door.close()


async def test_other_candidates_are_used_beside_a_name_that_nobody_answers_to(
    engine: AudioEngine, far_engine: AudioEngine, events: Reported[object]
) -> None:
    browser = DoorMedia(far_engine, on_event=events).open("browser", [], video=False)
    door = DoorMedia(engine, on_event=events).open("door", [], video=False)
    named = f"a=candidate:9 1 udp 2122260223 {NAME} 50000 typ host\r\na=end-of-candidates"
    offer = (await browser.create_offer()).replace("a=end-of-candidates", named)
    try:
        await browser.accept_answer(await door.create_answer(offer))
        await wait_for_state(browser, "connected")
        await wait_for_state(door, "connected")
    finally:
        await browser.close()
        await door.close()


async def test_a_name_that_is_looked_up_for_long_holds_neither_the_answer_nor_the_connection_up(
    engine: AudioEngine, far_engine: AudioEngine, events: Reported[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    told = asyncio.Event()

    async def look_up(_protocol: object, name: str) -> None:
        asked.append(name)
        await told.wait()

    monkeypatch.setattr(mdns.MDnsProtocol, "resolve", look_up)
    browser = DoorMedia(far_engine, on_event=events).open("browser", [], video=False)
    door = DoorMedia(engine, on_event=events).open("door", [], video=False)
    offer = CANDIDATE.sub(rf"\g<1>{NAME}", await browser.create_offer())
    try:
        async with asyncio.timeout(LIMIT_S):
            await browser.accept_answer(await door.create_answer(offer))
        await wait_for_state(browser, "connected")
        await wait_for_state(door, "connected")
        assert set(asked) == {NAME}
    finally:
        told.set()
        await browser.close()
        await door.close()
