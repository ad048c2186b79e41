"""The door station as it is installed: `intercom run` in a process of its own, looked at from outside."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

RUN = ("-m", "intercom", "run")
REGISTERED = b"registering -> idle"
"""In its log, the moment that the service has said so."""
START_LIMIT_S = 120.0
CONFIG = """\
[account]
credential_file = "{credential}"
[panel]
pins = "simulated"
page_listen = ""
[audio]
card = "simulated"
echo_canceller = "{canceller}"
[call]
auto_answer = ["residents"]
[camera]
source = "pattern"
"""


class Log:
    """The lines that a process writes to its standard error."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self._more = asyncio.Condition()
        self._ended = False

    async def follow(self, stream: asyncio.StreamReader) -> None:
        """Take the lines until the process ends."""
        while line := await stream.readline():
            async with self._more:
                self.lines.append(line)
                self._more.notify_all()
        async with self._more:
            self._ended = True
            self._more.notify_all()

    async def until(self, words: bytes) -> None:
        """Wait until a line holds these words; RuntimeError with all lines if the process ends before."""
        async with self._more:
            await self._more.wait_for(lambda: self._ended or any(words in line for line in self.lines))
        if not any(words in line for line in self.lines):
            raise RuntimeError("the door ended: " + b"".join(self.lines).decode(errors="replace"))


@dataclass(frozen=True)
class DoorProcess:
    """A door that is registered."""

    pid: int
    """Its process."""
    registered_ms: float
    """From the process' start."""
    log: Log
    """What it says."""

    def cpu_s(self) -> float:
        """Processor time of all its threads that live, to the nanosecond where the kernel counts so."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9

    def rss_mb(self) -> float:
        """Its memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return round(pages * os.sysconf("SC_PAGE_SIZE") / 1e6, 1)


def compiled_environment(**more: str) -> dict[str, str]:
    """The environment, without what keeps Python from compiling: an installed package is compiled."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


@asynccontextmanager
async def door_process(
    directory: Path, credential: Path, *, canceller: str = "webrtc", run: Sequence[str] = RUN, more: str = ""
) -> AsyncIterator[DoorProcess]:
    """Start one, with these settings more, and wait until it is registered; it ends with the context."""
    directory.mkdir(exist_ok=True)
    config = directory / "intercom.toml"
    config.write_text(CONFIG.format(credential=credential, canceller=canceller) + more, encoding="utf-8")
    began = time.monotonic()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *run,
        "--config",
        str(config),
        stderr=asyncio.subprocess.PIPE,
        env=compiled_environment(STATE_DIRECTORY=str(directory)),
    )
    assert process.stderr is not None
    log = Log()
    following = asyncio.create_task(log.follow(process.stderr))
    try:
        async with asyncio.timeout(START_LIMIT_S):
            await log.until(REGISTERED)
        yield DoorProcess(process.pid, (time.monotonic() - began) * 1000, log)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        await following
