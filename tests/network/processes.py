"""Processes in namespaces, and what they tell."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.network.namespaces import HOUSE, Street

Told = dict[str, Any]
PATIENCE_S = 20.0
STOP_S = 5.0
ROOT = Path(__file__).parent.parent.parent


class Process:
    """One process and everything that it told so far."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log
        self.told: list[Told] = []
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(cls, command: list[str], log: Path) -> Process:
        """Run it; what it says on its standard error goes to `log`."""
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors, cwd=ROOT
            )
        return cls(process, log)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            async with self._news:
                self.told.append(json.loads(line))
                self._news.notify_all()

    async def until(
        self, holds: Callable[[Told], bool], what: str, since: float = 0.0, patience_s: float = PATIENCE_S
    ) -> Told:
        """Wait for a fact told after `since`; the first such."""

        def found() -> Told | None:
            return next((told for told in self.told if told["at"] >= since and holds(told)), None)

        try:
            async with asyncio.timeout(patience_s), self._news:
                await self._news.wait_for(lambda: found() is not None)
        except TimeoutError:
            tail = "\n".join(map(str, self.told[-12:])) + "\n" + "\n".join(self.log.read_text().splitlines()[-20:])
            raise AssertionError(f"waited {patience_s} s for {what}; last told:\n{tail}") from None
        told = found()
        assert told is not None
        return told

    def last(self, what: str) -> Told | None:
        """The last fact of a kind."""
        return next((told for told in reversed(self.told) if told["what"] == what), None)

    async def do(self, command: str) -> Any:
        """Give it a command, and wait for the result."""
        since = time.monotonic()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n".encode())
        done = await self.until(lambda t: t["what"] == "done" and t["command"] == command, command, since)
        return done["result"]

    async def kill(self) -> None:
        """End it as a power cut would."""
        if self._process.returncode is None:
            self._process.kill()
        await self._end()

    async def stop(self) -> None:
        """Let it end by itself, else kill it."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            await asyncio.wait_for(self._process.wait(), STOP_S)
        except TimeoutError:
            self._process.kill()
        await self._end()

    async def _end(self) -> None:
        await self._process.wait()
        await self._reader


class Neighbourhood:
    """A door, a space and a resident, each in its namespace."""

    def __init__(self, street: Street, directory: Path, *, turn: bool = False) -> None:
        self.street = street
        self.directory = directory
        self._turn = turn
        self._port = 0
        self.space: Process
        self.door: Process
        self.resident: Process

    async def start(self) -> None:
        """Start all three, registered."""
        await self.start_space()
        self.resident = await self._python(self.street.house, "resident")
        self.door = await self._python(self.street.door, "door")
        for process in (self.resident, self.door):
            await process.until(lambda t: t["what"] == "registered" and t["on"], "the registration")

    async def start_space(self) -> None:
        """Start the space, where it was before."""
        listen = [f"{HOUSE}:{self._port}"] + ([f"{HOUSE}:3478"] if self._turn else [])
        self.space = await self._python(self.street.house, "space", *listen)
        self._port = (await self.space.until(lambda t: t["what"] == "serves", "the space"))["port"]

    async def _python(self, namespace: str, name: str, *arguments: str) -> Process:
        module = [sys.executable, "-m", f"tests.network.{name}", str(self.directory), *arguments]
        return await Process.start(self.street.command(namespace, *module), self.directory / f"{name}.log")

    async def talk(self) -> None:
        """Press, and wait until both hear each other."""
        since = time.monotonic()
        await self.door.do("press")
        for process in (self.door, self.resident):
            await process.until(lambda t: t["what"] == "sound" and t["on"], "sound", since)

    async def audible(self, since: float, patience_s: float = PATIENCE_S) -> float:
        """Wait until both hear each other (again); when the later one did. `since`: a moment of the outage."""
        return max([await self._heard(process, since, patience_s) for process in (self.door, self.resident)])

    async def _heard(self, process: Process, since: float, patience_s: float) -> float:
        last = process.last("sound")
        if last is not None and last["on"] and last["at"] < since:
            return since  # it was never silent
        told = await process.until(lambda t: t["what"] == "sound" and t["on"], "sound again", since, patience_s)
        return float(told["at"])

    async def registered(self, since: float, patience_s: float = PATIENCE_S) -> float:
        """Wait until the door is registered (again); when it was."""
        last = self.door.last("registered")
        if last is not None and last["on"] and last["at"] < since:
            return since
        told = await self.door.until(lambda t: t["what"] == "registered" and t["on"], "registered", since, patience_s)
        return float(told["at"])

    async def stop(self) -> None:
        """Stop all that run."""
        for name in ("door", "resident", "space"):
            process = getattr(self, name, None)
            if process is not None:
                await process.stop()


@asynccontextmanager
async def neighbourhood(directory: Path, *, turn: bool = False) -> AsyncIterator[Neighbourhood]:
    """One that runs."""
    with Street() as street:
        running = Neighbourhood(street, directory, turn=turn)
        try:
            await running.start()
            yield running
        finally:
            street.forward(True)
            await running.stop()
