"""Each example, run as a person would run it, against a real space."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.signalwire import AiortcMedia, SignalWire, SpaceCredentials, WebRTCCall
from intercom.space import Space

EXAMPLES = Path(__file__).parents[2] / "examples"
WAIT_S = 150.0
"""Limit of the wait for a program that loads aiortc and makes a call, however busy the machine is."""


@pytest.fixture
async def pairing(tmp_path: Path) -> AsyncIterator[Path]:
    space = Space(SpaceConfig(listen="127.0.0.1:0"), tmp_path / "space")
    await space.start()
    for name in ("me", "friend"):
        space.enrol(name, name.title())
        space.write_credential(name, tmp_path / f"{name}.json")
    yield tmp_path / "me.json"
    await space.stop()


async def start(name: str, *arguments: str | Path) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLES / f"{name}.py"),
        *map(str, arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd=EXAMPLES.parent,
        env={"PYTHONPATH": str(EXAMPLES.parent), "PATH": "/usr/bin:/bin"},
    )


async def output_of(name: str, *arguments: str | Path) -> str:
    process = await start(name, *arguments)
    async with asyncio.timeout(WAIT_S):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_directory_lists_who_can_be_called(pairing: Path) -> None:
    output = await output_of("directory", pairing)
    assert "/private/friend" in output
    assert "House" in output or "house" in output


async def test_dial_calls_the_echo(pairing: Path) -> None:
    output = await output_of("dial", pairing, "/public/echo", "1")
    assert "connected" in output
    assert "ended: NORMAL_CLEARING" in output


async def test_dtmf_presses_keys(pairing: Path) -> None:
    assert "sent 3 digits" in await output_of("dtmf", pairing, "/public/echo", "12#")


async def test_dtmf_says_that_the_far_end_is_busy(pairing: Path) -> None:
    friend = SignalWire(SpaceCredentials(pairing.with_name("friend.json")), media=AiortcMedia())
    async with friend, asyncio.TaskGroup() as tasks:

        def refuse(calls: tuple[WebRTCCall, ...]) -> None:
            for call in calls:
                tasks.create_task(call.reject())

        friend.session.incoming_calls_stream.subscribe(refuse)
        await friend.register()
        assert "USER_BUSY" in await output_of("dtmf", pairing, "/private/friend", "1")


async def test_diagnostics_prints_json(pairing: Path) -> None:
    output = await output_of("diagnostics", pairing, "/public/echo", "1")
    told = json.loads(output[output.index("{") :])
    assert told["preflight"]["connected_ms"] > 0
    assert "device_secret" not in output


async def test_register_and_answer_answers_after_a_caller_who_gave_up(pairing: Path) -> None:
    process = await start("register_and_answer", pairing)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(WAIT_S):
            while b"registered" not in await process.stdout.readline():
                pass
            friend = SignalWire(SpaceCredentials(pairing.with_name("friend.json")), media=AiortcMedia())
            async with friend:
                await friend.connect()
                given_up = await friend.dial("/private/me", video=False)
                await given_up.hangup()
                while b"destroyed" not in await process.stdout.readline():
                    pass
                call = await friend.dial("/private/me", video=False)
                connected = asyncio.Event()
                call.status_stream.subscribe(lambda status: connected.set() if status == "connected" else None)
                await connected.wait()
                while b"Friend calls" not in await process.stdout.readline():
                    pass
    finally:
        process.terminate()
        await process.wait()
