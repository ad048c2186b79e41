"""Run a long-running command around its part: logging, signals, a bounded stop, and the exit status."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

from intercom.service.event_loop import ServiceLoop
from intercom.service.journald import STDERR, JournalHandler, is_journal, mark_of_error
from intercom.service.log_lines import LogLines
from intercom.service.sd_notify import Notifier
from intercom.service.watchdog import Watchdog

logger = logging.getLogger(__name__)

STOP_S = 1.8
"""Time limit from Ctrl-C to the end; people wait two seconds before they press it again."""
STOP_LOOKS = 20
"""Number of looks at a stop within its time limit: each counts alike, however long the machine stood still in it."""


class Part(Protocol):
    """A part that can be started and stopped."""

    on_change: Callable[[], None]
    "called when `summary` may have changed"

    @property
    def summary(self) -> str:
        """Describe in one line the part's present activity."""

    def stalled(self) -> str | None:
        """Name the component that has stalled since the last look; None if everything makes progress."""

    async def start(self) -> None:
        """Start the part, and return when it runs."""

    async def stop(self) -> None:
        """Stop the part and free its resources."""


def log_to_stderr(level: str) -> None:
    """Log to standard error; under systemd to the journal, which adds the time and keeps the fields."""
    to_journal = is_journal(STDERR, os.environ)
    handler = JournalHandler() if to_journal else logging.StreamHandler(sys.stderr)
    form = "%(levelname)s %(name)s: %(message)s"
    form = form if to_journal else f"%(asctime)s {form}"
    handler.setFormatter(LogLines(form))
    logging.logMultiprocessing = False  # the name is written nowhere, and a module that waits would be loaded for it
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # A peer connection logs every candidate pair that it tries.
    for chatty in ("aioice", "aiortc", "aiohttp.access", "websockets", "transitions"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLogger().level))


def run(
    part: Callable[[], Part],
    *,
    started: Callable[[], Awaitable[None]] | None = None,
    mendable: tuple[type[Exception], ...] = (),
) -> int:
    """Start a part, wait for SIGINT or SIGTERM, stop it within `STOP_S`, and return the exit status.

    `started` runs as soon as the part does; what it raises, then or later, ends the process.
    A fault that the user can mend (an OSError, or one of `mendable`) is told in one sentence.
    """
    os.umask(0o077)
    # A watchdog that was not fed ends the process with SIGABRT: then the log shows where each thread stood.
    faulthandler.enable()
    told: tuple[type[Exception], ...] = (OSError, *mendable)
    try:
        with asyncio.Runner(loop_factory=ServiceLoop) as runner:
            return runner.run(_until_signal(part, started))
    except told as error:
        print(f"{mark_of_error()}intercom: {_sentence(error)}", file=sys.stderr)
        return 1


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.strerror}: {error.filename}"
    return str(error)


async def _until_signal(build: Callable[[], Part], started: Callable[[], Awaitable[None]] | None) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    systemd = Notifier(os.environ)
    systemd.starting()
    part = build()
    work = asyncio.ensure_future(_start(part, started, systemd))
    waiting = asyncio.ensure_future(asked.wait())
    try:
        await asyncio.wait({work, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()
            await waiting
    finally:
        systemd.stopping()
        systemd.close()
        work.cancel()
        waiting.cancel()
        if not await _has_stopped(part):
            logger.warning("Some part did not stop within %s s; leaving it", STOP_S)
            sys.stderr.flush()
            os._exit(1)
    return 0


async def _has_stopped(part: Part) -> bool:
    """Stop the part; False = it takes longer than `STOP_S` on a machine that runs."""
    stopping = asyncio.ensure_future(part.stop())
    for _ in range(STOP_LOOKS):
        await asyncio.wait({stopping}, timeout=STOP_S / STOP_LOOKS)
        if stopping.done():
            stopping.result()
            return True
    return False


async def _start(part: Part, started: Callable[[], Awaitable[None]] | None, systemd: Notifier) -> None:
    await part.start()
    part.on_change = lambda: systemd.status(part.summary)
    systemd.ready()
    part.on_change()
    work: list[Awaitable[None]] = []
    if systemd.watchdog_s is not None:
        work.append(Watchdog(systemd, part.stalled, watchdog_s=systemd.watchdog_s).run())
    if started is not None:
        work.append(started())
    await asyncio.gather(*work)
