"""The process that sends a message: what it may take, what others see of it, and what becomes of one that fails."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from intercom.notify import process
from intercom.notify.child import NICENESS
from intercom.notify.message import Order, Outcome

needs_apprise = pytest.mark.skipif(not process.is_installed(), reason="pip install 'intercom[notify]'")
SECRET = "marked-secret-8Kq"
WAIT_S = 60.0


@asynccontextmanager
async def a_service_that_hangs() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Yield the URL of a service that takes the message and never answers, and the event that it was taken."""
    taken, over = asyncio.Event(), asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        taken.set()
        await over.wait()
        writer.close()

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        yield f"json://door:{SECRET}@127.0.0.1:{server.sockets[0].getsockname()[1]}/?rto=300", taken
        over.set()


def ready(url: str) -> Callable[[], Awaitable[Order]]:
    async def order() -> Order:
        return Order(url=url, title="Somebody is at the door", body="Somebody rings.")

    return order


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()}


async def only_child(before: set[int]) -> int:
    async with asyncio.timeout(WAIT_S):
        while not (found := children() - before):
            await asyncio.sleep(0.01)  # until the process has begun
    (pid,) = found
    return pid


@needs_apprise
async def test_a_process_shows_no_secret_steps_back_and_is_ended_with_whoever_waits_for_it() -> None:
    before = children()
    async with a_service_that_hangs() as (url, taken):
        sending = asyncio.create_task(process.deliver("json", ready(url), limit_s=WAIT_S))
        await asyncio.wait_for(taken.wait(), WAIT_S)
        pid = await only_child(before)
        seen = Path(f"/proc/{pid}/cmdline").read_text() + Path(f"/proc/{pid}/environ").read_text()
        assert "intercom.notify.child" in seen
        assert SECRET not in seen
        assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, os.getpriority(os.PRIO_PROCESS, 0) + NICENESS)
        assert Path(f"/proc/{pid}/oom_score_adj").read_text().strip() == "1000"
        sending.cancel()
        await asyncio.wait([sending])
    assert not Path(f"/proc/{pid}").exists()


@needs_apprise
async def test_a_service_that_hangs_is_given_up_and_its_process_ended() -> None:
    before = children()
    async with a_service_that_hangs() as (url, _):
        sending = asyncio.create_task(process.deliver("json", ready(url), limit_s=5.0))
        pid = await only_child(before)
        outcome = await sending
    assert outcome == Outcome(arrived=False, why="it did not take the message within 5 s", again=True)
    assert not Path(f"/proc/{pid}").exists()


@needs_apprise
async def test_a_process_that_dies_is_a_failed_attempt_and_nothing_more() -> None:
    before = children()
    async with a_service_that_hangs() as (url, taken):
        sending = asyncio.create_task(process.deliver("json", ready(url), limit_s=WAIT_S))
        await asyncio.wait_for(taken.wait(), WAIT_S)
        os.kill(await only_child(before), signal.SIGKILL)
        outcome = await sending
    assert outcome == Outcome(arrived=False, why="its process died (status -9)", again=True)


async def test_a_process_that_cannot_be_started_is_a_failed_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/absent/python3")
    outcome = await process.deliver("json", ready("json://127.0.0.1/"))
    assert (outcome.arrived, outcome.again) == (False, True)
    assert "does not start" in outcome.why


async def test_without_apprise_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\nexit {process.MISSING}\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    outcome = await process.deliver("json", ready("json://127.0.0.1/"))
    assert not outcome.again
    assert "pip install 'intercom[notify]'" in outcome.why
    monkeypatch.setattr(process, "is_installed", lambda: False)
    assert await process.faults_of(["json://127.0.0.1/"]) == [process.INSTALL]


async def test_a_process_gets_nothing_of_the_doors_environment_that_it_does_not_need(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    python = tmp_path / "python3"
    python.write_text(f"#!/bin/sh\nenv > {tmp_path}/environment\n")
    python.chmod(0o755)
    monkeypatch.setattr("sys.executable", str(python))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/intercom.service")
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    await process.deliver("json", ready("json://127.0.0.1/"))
    told = (tmp_path / "environment").read_text()
    assert "CREDENTIALS_DIRECTORY" not in told
    assert "https_proxy=http://proxy.example:3128" in told
