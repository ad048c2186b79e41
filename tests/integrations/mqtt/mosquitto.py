"""A real mosquitto, and mosquitto_sub and mosquitto_pub as the house's other programs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

PROGRAMS = ("mosquitto", "mosquitto_pub", "mosquitto_sub")
PATH = f"{os.environ['PATH']}:/usr/sbin"
"""Debian keeps the broker where only root looks."""
WAIT_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""
LINE_BYTES = 8 * 1024 * 1024
"""Longer than a picture in hexadecimal digits."""
RUNNING = b"running"
"""What the broker says once it listens."""

needs_mosquitto = pytest.mark.skipif(
    any(shutil.which(program, path=PATH) is None for program in PROGRAMS),
    reason="there is no mosquitto: `apt install mosquitto mosquitto-clients`",
)


@dataclass(frozen=True)
class Heard:
    """A message that a program of the house heard."""

    topic: str
    retained: bool
    at: float
    "when it had it, in seconds since 1970"
    payload: bytes


class Mosquitto:
    """The broker. It keeps nothing on a disk, so that a restart forgets what was retained."""

    def __init__(self, folder: Path, *settings: str) -> None:
        self.folder = folder
        self._settings = settings or ("allow_anonymous true",)
        self.port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.said = b""

    @property
    def url(self) -> str:
        return f"mqtt://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen: at a port that is free, or at the one of before."""
        again = bool(self.port)
        for _ in range(20):
            self.port = self.port if again else free_port()
            if await self._listens():
                return
        raise AssertionError(self.said.decode(errors="replace"))

    async def _listens(self) -> bool:
        config = self.folder / "mosquitto.conf"
        lines = (
            f"listener {self.port} 127.0.0.1",
            "persistence false",
            "user root",
            "log_dest stderr",
            *self._settings,
        )
        config.write_text("\n".join(lines) + "\n")
        self._process = await asyncio.create_subprocess_exec(
            shutil.which("mosquitto", path=PATH) or "mosquitto", "-c", str(config), stderr=asyncio.subprocess.PIPE
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(WAIT_S):
            while RUNNING not in (line := await self._process.stderr.readline()):
                self.said += line
                if not line:
                    await self._process.wait()
                    return False
        self._reading = asyncio.create_task(self._read_on(self._process.stderr))
        return True

    async def _read_on(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            self.said += line

    async def stop(self) -> None:
        """End it as a crash would."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        if self._reading is not None:
            await self._reading

    async def publish(self, topic: str, payload: str, *, retain: bool = False) -> None:
        """Publish a message as another program of the house."""
        options = ["-r"] if retain else []
        program = shutil.which("mosquitto_pub", path=PATH) or "mosquitto_pub"
        process = await asyncio.create_subprocess_exec(
            program, "-p", str(self.port), "-t", topic, "-m", payload, *options
        )
        async with asyncio.timeout(WAIT_S):
            assert await process.wait() == 0

    @asynccontextmanager
    async def listener(self, *topics: str) -> AsyncIterator[Listener]:
        """Another program of the house, which hears these topics."""
        program = shutil.which("mosquitto_sub", path=PATH) or "mosquitto_sub"
        named = [option for topic in topics for option in ("-t", topic)]
        command = ("stdbuf", "-oL", program, "-p", str(self.port), *named, "-d", "-F", "%t %r %U %x")
        process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, limit=LINE_BYTES)
        assert process.stdout is not None
        listener = Listener(process.stdout)
        try:
            await listener.listens()
            yield listener
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()  # asked to end, it may wait for itself: its signal handler takes locks that it holds
            await process.wait()
            listener.close()


class Listener:
    """What a program of the house has heard so far."""

    def __init__(self, output: asyncio.StreamReader) -> None:
        self._output = output
        self._changed = asyncio.Event()
        self._subscribed = asyncio.Event()
        self.heard: list[Heard] = []
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        while line := await self._output.readline():
            words = line.decode().rstrip("\n").split(" ")
            if line.startswith(b"Subscribed"):
                self._subscribed.set()
            elif len(words) == 4 and words[1] in ("0", "1"):
                self.heard.append(Heard(words[0], words[1] == "1", float(words[2]), bytes.fromhex(words[3])))
                self._changed.set()

    async def listens(self) -> None:
        """Wait until the broker has said that it will send the messages."""
        async with asyncio.timeout(WAIT_S):
            await self._subscribed.wait()

    async def hears(self, topic: str, holds: Callable[[bytes], bool] = lambda payload: True) -> Heard:
        """Wait for a message on a topic, from the beginning on, whose payload is the wanted one."""
        seen = 0
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    self._changed.clear()
                    for message in self.heard[seen:]:
                        if message.topic == topic and holds(message.payload):
                            return message
                    seen = len(self.heard)
                    await self._changed.wait()
        except TimeoutError:
            heard = "\n".join(f"{message.topic} {message.payload[:80]!r}" for message in self.heard)
            raise AssertionError(f"nothing of the kind came on {topic}; this did:\n{heard}") from None

    def payloads(self, topic: str) -> list[bytes]:
        """What was heard on a topic."""
        return [message.payload for message in self.heard if message.topic == topic]

    def close(self) -> None:
        """Read no more."""
        self._reading.cancel()


@asynccontextmanager
async def mosquitto(folder: Path, *settings: str) -> AsyncIterator[Mosquitto]:
    """A broker with these settings."""
    folder.mkdir(parents=True, exist_ok=True)
    broker = Mosquitto(folder, *settings)
    await broker.start()
    try:
        yield broker
    finally:
        await broker.stop()
