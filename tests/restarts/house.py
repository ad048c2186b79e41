"""A house of real processes, whose door, space and pages are ended and started again in any order.

The door and the space are processes of their own, with simulated pins and a simulated card; two pages speak as the
station page does. After each restart all must come to see the same: nobody rings whom no press rang, and no press is
lost.
"""

from __future__ import annotations

import asyncio
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

from tests.network.processes import Process
from tests.restarts.page import LIMIT_S, Heard, Page

LOOK_S = 0.1
COMPILED = ["env", "-u", "PYTHONDONTWRITEBYTECODE", sys.executable]
"""A Python that keeps what it compiles: each restart would compile everything anew."""

Party = Literal["door", "space", "page"]
State = Literal["idle", "ringing", "talking"]


class House:
    """The house. `presses` counts those that were made; a press that was taken must be in the log at the end."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.presses = 0
        self.rings: list[str] = []
        "the ring of each press, as its invite named it"
        self.pages: list[Page] = []
        self._door: Process | None = None
        self._space: Process | None = None
        # Bound for as long as the house stands, and never listening: nobody else gets the port while the space is down.
        self._reserved = socket.socket()
        self._reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._reserved.bind(("127.0.0.1", 0))
        self.port = int(self._reserved.getsockname()[1])

    # -- who is there ----------------------------------------------------------------------------------------

    async def begin(self) -> None:
        """Start everything for the first time."""
        await self._start_space()
        assert self._space is not None
        for name in ("Kitchen", "Anna"):
            page = Page(f"http://127.0.0.1:{self.port}", name)
            await page.pair(await self._space.do("pairing_code"))
            self.pages.append(page)
        await self.mend()

    async def mend(self) -> None:
        """Start what does not run, and wait until nothing rings and nobody talks."""
        for party in ("space", "door", "page"):
            await self.start(party)
        await self.is_ready()
        if (await self.views())["door"] == "ringing":
            await self.agrees("ringing")  # it rings on for its visitor: its invite may be under way still
        await self.hang_up()

    async def end(self) -> None:
        """Stop everything."""
        for page in self.pages:
            await page.kill()
        for process in (self._door, self._space):
            if process is not None:
                await process.stop()
        self._reserved.close()

    async def start(self, party: Party) -> None:
        """Start a party, if it does not run."""
        if party == "space" and self._space is None:
            await self._start_space()
        elif party == "door" and self._door is None:
            self._door = await self._process("door")
            await self._door.until(lambda told: told["what"] == "runs", "the door")
        elif party == "page" and not self.pages[1].lives:
            self.pages[1].open()
        if party == "page" and not self.pages[0].lives:
            self.pages[0].open()

    async def end_party(self, party: Party, *, killed: bool) -> None:
        """End a party: at once, or as its service manager or its browser does."""
        if party == "page":
            await (self.pages[1].kill() if killed else self.pages[1].close())
            return
        process = self._door if party == "door" else self._space
        assert process is not None
        await (process.kill() if killed else process.stop())
        if party == "door":
            self._door = None
        else:
            self._space = None

    async def is_ready(self) -> None:
        """Wait until all that run are registered."""
        for page in self.pages:
            if page.lives:
                await page.until(lambda page: page.online, "the space")
        if self._door is not None:
            await self._door.when("status", lambda status: status["registered"], "the door's registration")

    async def _start_space(self) -> None:
        self._space = await self._process("space", str(self.port))
        await self._space.until(lambda told: told["what"] == "serves", "the space")

    async def _process(self, name: str, *more: str) -> Process:
        command = [*COMPILED, "-m", f"tests.restarts.{name}", str(self.directory), *more]
        return await Process.start(command, self.directory / f"{name}.log")

    # -- what happens in it ----------------------------------------------------------------------------------

    async def come_to(self, state: State) -> None:
        """Bring the house from rest into a state, by a press and an answer."""
        if state == "idle":
            return
        await self.press()
        if state == "talking":
            await self.pages[1].answer()
            await self.agrees("talking")

    async def press(self) -> None:
        """Press the button, and wait until every page rings, each by one invite of the same new ring."""
        before = [len(page.rung) for page in self.pages]
        assert self._door is not None
        self.presses += 1
        pressed_at = time.monotonic()
        await self._door.do("press")
        await self.agrees("ringing")
        heard = {page.name: page.rung[count:] for page, count in zip(self.pages, before, strict=True)}
        earlier, ring = list(self.rings), heard[self.pages[0].name][-1].ring
        self.rings.append(ring)  # whatever follows: the next tests have to know this press
        one_ring = all([invite.ring for invite in invites] == [ring] for invites in heard.values())
        assert one_ring and ring not in earlier, (
            f"The press at {pressed_at:.3f} s is not one new ring:\n{_listed(heard)}\n"
            f"The rings of the presses before it: {earlier}\n{self._logs()}"
        )

    async def press_once_more(self) -> None:
        """Press while it rings."""
        assert self._door is not None
        self.presses += 1
        await self._door.do("press")

    async def answer(self) -> None:
        """Let the second page answer and hang up."""
        await self.pages[1].answer()
        await self.agrees("talking")
        await self.hang_up()

    async def hang_up(self) -> None:
        """Let the door hang up."""
        assert self._door is not None
        await self._door.do("hang_up")
        await self.agrees("idle")

    # -- what is seen ----------------------------------------------------------------------------------------

    async def agrees(self, state: State, *, limit_s: float = LIMIT_S) -> float:
        """Wait until all who run see the same state; return how long it took, in seconds."""
        began = time.monotonic()
        while (views := await self.views()) != self._seen_by_all(state) or len(self.told) > 1:
            if time.monotonic() - began > limit_s:
                raise AssertionError(
                    f"{state} is not seen by all within {limit_s} s: {views} {self.told}\n{self._logs()}"
                )
            await asyncio.sleep(LOOK_S)
        return time.monotonic() - began

    async def views(self) -> dict[str, Any]:
        """What each party sees."""
        views: dict[str, Any] = {page.name: _view(page) for page in self.pages if page.lives}
        if self._door is not None:
            phase = (await self._door.do("status"))["phase"]
            views["door"] = {"none": "idle", "ringing_out": "ringing", "active": "talking"}.get(phase, phase)
        if self._space is not None:
            views["space"] = await self._space.do("calls")
        return views

    @property
    def told(self) -> set[str]:
        """The states of the last ring that the pages were told last."""
        ring = self.rings[-1] if self.rings else ""
        return {page.state_of(ring) for page in self.pages if page.lives and page.online} - {""}

    def _seen_by_all(self, state: State) -> dict[str, Any]:
        views: dict[str, Any] = {page.name: state for page in self.pages if page.lives}
        if state == "talking":
            views[self.pages[0].name] = "idle"
        if self._door is not None:
            views["door"] = state
        if self._space is not None:
            views["space"] = 0 if state == "idle" else 1
        return views

    async def has_logged_every_press(self) -> None:
        """Wait until the door's call log holds each press that was made."""
        assert self._door is not None

        def holds(log: list[dict[str, Any]]) -> bool:
            return sum(record["presses"] for record in log) >= self.presses

        await self._door.when("log", holds, f"{self.presses} presses in the log")

    def rung_without_a_press(self) -> list[str]:
        """The invites that no press caused, each with its page."""
        return [f"{page.name}: {heard}" for page in self.pages for heard in page.rung if heard.ring not in self.rings]

    def _logs(self) -> str:
        tails = [(self.directory / f"{name}.log").read_text().splitlines()[-15:] for name in ("door", "space")]
        return "\n".join(line for tail in tails for line in tail)


def _listed(heard: dict[str, list[Heard]]) -> str:
    return "\n".join(f"{name} heard {invite}" for name, invites in heard.items() for invite in invites)


def _view(page: Page) -> str:
    if page.talking:
        return "talking"
    return {0: "idle", 1: "ringing"}.get(len(page.bells), f"{len(page.bells)} bells")


async def restart(house: House, state: State, order: Iterable[tuple[Party, bool]]) -> None:
    """Bring the house into a state, end the parties in this order, start them in it again, and look at what became.

    :param order: each party, and whether it is killed rather than stopped.
    """
    order = list(order)
    await house.come_to(state)
    rung = len(house.rings)
    for party, killed in order:
        await house.end_party(party, killed=killed)
    for party, _ in order:
        await house.start(party)
    await house.is_ready()
    ended = {party for party, _ in order}
    if state == "ringing":
        await house.agrees("ringing")
        await house.answer()
    elif state == "talking" and ended <= {"space"}:
        await house.agrees("talking")
        await house.hang_up()
    else:
        await house.agrees("idle")
    assert len(house.rings) == rung
    assert house.rung_without_a_press() == []
    await house.has_logged_every_press()
