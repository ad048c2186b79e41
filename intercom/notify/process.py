"""Run the process that sends a message: bounded in time, ended with its caller, told its secrets through a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from intercom.notify.child import MISSING
from intercom.notify.message import Order, Outcome, Verdict
from intercom.plain_text import plain

LIMIT_S = 20.0
"""Time limit of one attempt: a slow board needs some seconds to load apprise, and a far service a few more."""
JUDGE_LIMIT_S = 60.0
"""Time limit for judging URLs: a slow board that is busy needs long to load all services."""
ANSWER_LIMIT_BYTES = 8192
WHY_CHARS = 200
INSTALL = "apprise is not installed: `pip install 'intercom[notify]'` into the environment of the intercom"
_HANDED_ON = frozenset(
    {"PATH", "HOME", "LANG", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"}
    | {"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"}
)
"""Variables of the environment that the process needs, in capitals or not; it gets no other."""


def is_installed() -> bool:
    """Return whether apprise is there, without loading it."""
    return importlib.util.find_spec("apprise") is not None


async def deliver(scheme: str, order: Callable[[], Awaitable[Order]], *, limit_s: float = LIMIT_S) -> Outcome:
    """Start the process for a URL that begins with `scheme`, hand it the order, and return what became of it.

    The process loads apprise while the order, with its picture, is waited for. Cancelling this kills the process.
    """
    try:
        answer, status = await _run(("send", scheme), order, limit_s)
    except TimeoutError:
        return Outcome(arrived=False, why=f"it did not take the message within {limit_s:g} s", again=True)
    except OSError as error:
        return Outcome(arrived=False, why=f"its process does not start: {error.strerror}", again=True)
    return _outcome(answer, status)


async def faults_of(urls: Sequence[str]) -> list[str]:
    """Return what is wrong with each URL, in words; empty where apprise understands it, or could not be asked."""
    if not is_installed():
        return [INSTALL] * len(urls)

    async def asked() -> list[str]:
        return list(urls)

    try:
        answer, _ = await _run(("judge",), asked, JUDGE_LIMIT_S)
        faults = msgspec.json.decode(answer, type=Verdict).faults
    except (OSError, msgspec.DecodeError):
        return [""] * len(urls)  # the first message tells more
    return [plain(fault, WHY_CHARS) for fault in faults]


async def _run(words: Sequence[str], order: Callable[[], Awaitable[Any]], limit_s: float) -> tuple[bytes, int]:
    """Run the process with these words and hand it the order as JSON; return its answer and its exit status.

    Raises OSError if it does not start, TimeoutError if it takes longer; it is killed then.
    """
    process: asyncio.subprocess.Process | None = None
    try:
        async with asyncio.timeout(limit_s):
            process = await asyncio.create_subprocess_exec(
                # Isolated: nothing of the working directory, or of the user's own packages, is loaded.
                *(sys.executable, "-I", "-m", "intercom.notify.child", *words),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={name: value for name, value in os.environ.items() if name.upper() in _HANDED_ON},
                limit=ANSWER_LIMIT_BYTES,
            )
            assert process.stdout is not None
            await _hand(process, msgspec.json.encode(await order()))
            return await process.stdout.read(ANSWER_LIMIT_BYTES), await process.wait()
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


async def _hand(process: asyncio.subprocess.Process, order: bytes) -> None:
    assert process.stdin is not None
    with contextlib.suppress(ConnectionError):  # it is dead: its exit status tells more
        process.stdin.write(order)
        await process.stdin.drain()
        process.stdin.close()


def _outcome(answer: bytes, status: int) -> Outcome:
    if status == MISSING:
        return Outcome(arrived=False, why=INSTALL)
    try:
        outcome = msgspec.json.decode(answer, type=Outcome)
    except msgspec.DecodeError:
        return Outcome(arrived=False, why=f"its process died (status {status})", again=True)
    return msgspec.structs.replace(outcome, why=plain(outcome.why, WHY_CHARS))
