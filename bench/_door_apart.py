"""The door of a bench's home in a process of its own: `python -m bench._door_apart DIRECTORY KIND`.

It shares neither its event loop nor Python's lock with the space and what drives the browser, as in a house. A word on
its standard input is a command, `press` or `stages`; each line of its standard output begins with `state`, or with
`stages`: when the last call had its answer and was connected. It ends when its standard input closes.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bench._door_process import compiled_environment
from bench._settled import settled
from bench._stock_door import StockDoor
from intercom.door.appliance import Appliance
from intercom.door.machine import Decision, State
from intercom.media.provider import DoorMedia
from intercom.media.rtp.peer import DoorCall
from tests.e2e.home import Home, home_config

KINDS: dict[str, type[Appliance]] = {kind.__name__: kind for kind in (Appliance, StockDoor)}
LIMIT_S = 60.0


class DoorApart:
    """The finger for its button, and what it tells."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._told = asyncio.Condition()
        self._state = ""
        self._stages: tuple[float, float] | None = None

    async def follow(self) -> None:
        """Take what it tells, until it ends."""
        while line := (await self._stdout.readline()).decode():
            async with self._told:
                what, _, told = line.strip().partition(" ")
                if what == "state":
                    self._state = told
                elif what == "stages":
                    answered, _, connected = told.partition(" ")
                    self._stages = (float(answered), float(connected))
                self._told.notify_all()

    async def press(self) -> None:
        """Put a finger on the button, and take it away."""
        self._stdin.write(b"press\n")
        await self._stdin.drain()

    async def until(self, state: State) -> None:
        """Wait until the door is in this state."""
        async with asyncio.timeout(LIMIT_S), self._told:
            await self._told.wait_for(lambda: self._state == state)

    async def stages_ms(self) -> tuple[float, float]:
        """When the last call had its answer and was connected, in ms since 1970; twice 0 of a door that is not ours."""
        self._stages = None
        self._stdin.write(b"stages\n")
        async with asyncio.timeout(LIMIT_S), self._told:
            await self._told.wait_for(lambda: self._stages is not None)
        assert self._stages is not None
        return self._stages


@asynccontextmanager
async def door_apart(directory: Path, kind: type[Appliance]) -> AsyncIterator[DoorApart]:
    """Start one whose credential is `door.json` in the folder, and wait until it is registered."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench._door_apart", str(directory), kind.__name__),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=compiled_environment(),
    )
    door = DoorApart(process)
    following = asyncio.create_task(door.follow())
    try:
        await door.until(State.IDLE)
        yield door
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await following


class _Home(Home):
    """A home whose space runs already, elsewhere."""

    async def start(self) -> None:
        await self._start_door()
        assert self.door is not None
        machine = self.door.machine
        passed_on = machine.on_decision

        def decided(decision: Decision) -> None:
            passed_on(decision)
            print("state", decision.dest, flush=True)

        machine.on_decision = decided
        print("state", machine.state, flush=True)


def calls_of(media: DoorMedia) -> list[DoorCall]:
    """Every call whose media is opened from now on, in a list."""
    opened: list[DoorCall] = []
    open_one = media.open

    def remembering(*arguments: Any, **options: Any) -> DoorCall:
        opened.append(open_one(*arguments, **options))
        return opened[-1]

    media.open = remembering  # type: ignore[method-assign]  # the bench looks over the door's shoulder
    return opened


def stages_ms(opened: list[DoorCall]) -> tuple[float, float]:
    """When the last call had the answer and was connected; stock aiortc, which opens no media of ours, does not say."""
    if not opened:
        return 0.0, 0.0
    connection = opened[-1]._connection
    assert connection.negotiated_at is not None
    assert connection.connected_at is not None
    to_epoch_s = time.time() - time.monotonic()
    return (connection.negotiated_at + to_epoch_s) * 1000, (connection.connected_at + to_epoch_s) * 1000


async def _serve(directory: Path, kind: type[Appliance]) -> None:
    home = _Home(directory, home_config(), kind=kind)
    await home.start()
    assert home.door is not None
    opened = calls_of(home.door.media)
    with settled():
        while word := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if word == "press":
                await home.press()
            else:
                print("stages", *stages_ms(opened), flush=True)
    await home.door.stop()


if __name__ == "__main__":
    asyncio.run(_serve(Path(sys.argv[1]), KINDS[sys.argv[2]]))
