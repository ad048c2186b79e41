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

from tests.network.namespaces import DOOR, HOUSE, Street

Told = dict[str, Any]
PATIENCE_S = 150.0
"""A machine that is busy with much else takes half a minute to start three processes, and more on a slow disk."""
STOP_S = 30.0
SPACE_PORT = 8443
"""One that no connection begins at by chance."""
SETTLED_S = 2.0
"""What a change of the network still breaks shows within this."""
LOOK_S = 0.05
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

    async def on_again(self, what: str, back: float, patience_s: float = PATIENCE_S) -> float:
        """How long after `back` something went on for good, in seconds; looked at once it has settled."""
        await asyncio.sleep(max(0.0, back + SETTLED_S - time.monotonic()))
        last = self.last(what)
        if last is None or not last["on"]:
            last = await self.until(lambda t: t["what"] == what and t["on"], f"{what} again", back, patience_s)
        return max(0.0, float(last["at"]) - back)

    async def do(self, command: str, line: str = "") -> Any:
        """Give it a command, or a line that says more, and wait for the result."""
        since = time.monotonic()
        assert self._process.stdin is not None
        self._process.stdin.write(f"{line or command}\n".encode())
        done = await self.until(lambda t: t["what"] == "done" and t["command"] == command, command, since)
        return done["result"]

    async def when(self, command: str, holds: Callable[[Any], bool], what: str) -> Any:
        """Give it a command again and again until the result is the wanted one, which must last."""
        give_up = time.monotonic() + PATIENCE_S
        while not holds(result := await self.do(command)):
            assert time.monotonic() < give_up, f"waited {PATIENCE_S} s for {what}: {result}"
            await asyncio.sleep(LOOK_S)
        return result

    async def logged(self, words: str) -> None:
        """Wait until its log has these words."""
        give_up = time.monotonic() + PATIENCE_S
        while words not in self.log.read_text():
            assert time.monotonic() < give_up, f"waited {PATIENCE_S} s for {words!r} in {self.log}"
            await asyncio.sleep(LOOK_S)

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

    def __init__(self, street: Street, directory: Path, *, turn: bool = False, patience: float = 1.0) -> None:
        self.street = street
        self.directory = directory
        self._turn = turn
        self._patience = patience
        self.space: Process
        self.door: Process
        self.resident: Process

    async def start(self) -> None:
        """Start all three, registered."""
        await self.start_space()
        await self.start_resident()
        await self.start_door()
        for process in (self.resident, self.door):
            await process.until(lambda t: t["what"] == "registered" and t["on"], "the registration")

    async def start_resident(self) -> None:
        """Start the resident."""
        self.resident = await self._python(self.street.house, "resident")

    async def start_door(self) -> None:
        """Start the door."""
        self.door = await self._python(self.street.door, "door", str(self._patience))

    async def start_space(self) -> None:
        """Start the space, where it was before."""
        listen = [f"{HOUSE}:{SPACE_PORT}"] + ([f"{HOUSE}:3478"] if self._turn else [])
        self.space = await self._python(self.street.house, "space", *listen)
        await self.space.until(lambda t: t["what"] == "serves", "the space")

    async def _python(self, namespace: str, name: str, *arguments: str) -> Process:
        module = [sys.executable, "-m", f"tests.network.{name}", str(self.directory), *arguments]
        return await Process.start(self.street.command(namespace, *module), self.directory / f"{name}.log")

    async def talk(self) -> None:
        """Press, and wait until both hear each other."""
        since = time.monotonic()
        await self.door.do("press")
        for process in (self.door, self.resident):
            await process.until(lambda t: t["what"] == "sound" and t["on"], "sound", since)

    async def audible(self, back: float, patience_s: float = PATIENCE_S) -> float:
        """How long after `back` both hear each other for good, in seconds; 0 when they never ceased to."""
        return max([await process.on_again("sound", back, patience_s) for process in (self.door, self.resident)])

    async def registered(self, back: float, patience_s: float = PATIENCE_S) -> float:
        """How long after `back` the door is registered for good, in seconds."""
        return await self.door.on_again("registered", back, patience_s)

    @property
    def call_status(self) -> str:
        """Of the door's last call."""
        told = self.door.last("call")
        return str(told["status"]) if told else "none"

    async def goes_on(self) -> None:
        """Wait until the door is in its call, from which a machine that stands still may take it for a moment."""
        await self.status_when(lambda status: status["state"] == "in_call", "the call")

    async def mend(self) -> None:
        """Let everything be as it was: nobody talks, the door is on its cable and registered over it."""
        self.street.plug("cable", True)
        if not self.street.at_home():
            self.street.leave("wifi")
            self.street.leave("cable")
            self.street.join("cable", self.street.door)
        await self.resident.on_again("registered", time.monotonic() - SETTLED_S)
        await self.door.do("hang_up")
        await self.status_when(lambda status: status["state"] == "idle", "the door's rest")
        await self.door.when("address", lambda address: address == DOOR, "the door's socket on its cable")
        await self.status_when(lambda status: status["registered"] and status["state"] == "idle", "its registration")

    async def status_when(self, holds: Callable[[Told], bool], what: str) -> Told:
        """The door's status when something holds that lasts."""
        status: Told = await self.door.when("status", holds, what)
        return status

    async def stop(self) -> None:
        """Stop all that run."""
        for name in ("door", "resident", "space"):
            process = getattr(self, name, None)
            if process is not None:
                await process.stop()


@asynccontextmanager
async def neighbourhood(directory: Path, *, turn: bool = False, patience: float = 1.0) -> AsyncIterator[Neighbourhood]:
    """One that runs."""
    with Street() as street:
        running = Neighbourhood(street, directory, turn=turn, patience=patience)
        try:
            await running.start()
            yield running
        finally:
            street.forward(True)
            await running.stop()
