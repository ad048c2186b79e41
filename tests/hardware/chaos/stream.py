"""The stream of calls of a chaos run: the button is pressed, the house calls, both hang up at odd moments."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from intercom.control.client import Client
from intercom.control.errors import ControlError
from intercom.signalwire import SignalWireError, WebRTCCall
from tests.hardware.headset import Headset
from tests.hardware.house import House
from tests.hardware.resident import Resident

from .plan import OUTSIDE, Hanger, PlannedCall

RING_S = 20.0
"""The visitor's patience of 10 s, and a slow guest."""
CONNECT_S = 20.0
OVER_S = 30.0
LOOK_S = 0.05
STRAY_S = 0.5
TALKS_S = 4.0
"""A call that is to last for so long is listened to; one that is hung up at once is not held for that."""
HEAR_S = 20.0
OVER = ("disconnected", "failed", "destroyed")


class Door:
    """The door, asked over its control socket."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def ask(self, method: str, **params: Any) -> Any:
        """Ask one thing; ControlError and OSError as they come."""
        return await asyncio.to_thread(self._ask, method, params)

    async def healthy(self) -> dict[str, Any] | None:
        """Return its status while it is registered and nothing is broken that anybody at the door would notice."""
        status: dict[str, Any] = await self.ask("status")
        return status if status["registered"] and faults_in(status) <= OUTSIDE else None

    async def has(self, kinds: frozenset[str]) -> bool:
        """Return whether one of these faults is open."""
        return bool(kinds & faults_in(await self.ask("status")))

    async def is_left_alone(self) -> bool:
        """Return whether nobody watches, and the house's other systems have taken what they were to take."""
        status = await self.ask("status")
        there = status["integrations"]
        watched = not there.keys() >= {"mqtt", "webhooks", "rtsp"} or there["rtsp"]["viewers"]
        return not (watched or status["picture"]["viewers"] or faults_in(status))

    def _ask(self, method: str, params: dict[str, Any]) -> Any:
        with Client(self._socket) as client:
            return client.ask(method, **params)


def faults_in(status: dict[str, Any]) -> frozenset[str]:
    """Return the kinds of the open faults."""
    return frozenset(fault["kind"] for fault in status["faults"])


class Sound:
    """What visitor and resident, who each say one tone, hear of one another."""

    def __init__(self, headset: Headset, visitor_hz: int, resident: Resident, resident_hz: int) -> None:
        self._headset, self._visitor_hz = headset, visitor_hz
        self._resident, self._resident_hz = resident, resident_hz

    async def forget(self) -> None:
        """Forget what was heard so far."""
        await asyncio.to_thread(self._headset.forget)
        self._resident.forget()

    async def goes_both_ways(self) -> bool:
        """Return whether each hears the other."""
        if not self._resident.hears(self._visitor_hz):
            return False
        return await asyncio.to_thread(self._headset.hears, self._resident_hz)


class Calls:
    """Makes the planned calls, and counts what became of them.

    `spoilt` says, for a moment on the run's clock `now`, whether something that may cost a call has happened since, or
    what is heard in it.
    """

    def __init__(
        self,
        house: House,
        resident: Resident,
        door: Door,
        sound: Sound,
        *,
        spoilt: Callable[[float, bool], bool],
        now: Callable[[], float],
        say: Callable[[str], None],
    ) -> None:
        self.outcomes: Counter[str] = Counter()
        self.findings: list[str] = []
        self._house = house
        self._resident = resident
        self._door = door
        self._sound = sound
        self._spoilt = spoilt
        self._now = now
        self._say = say
        self._expecting = False

    async def turn_strays_away(self) -> None:
        """Reject what rings because somebody mashed the button, for ever."""
        while True:
            await asyncio.sleep(STRAY_S)
            if not self._expecting and self._resident.is_rung:
                with contextlib.suppress(SignalWireError):
                    await (await self._resident.rings(0.1)).reject()

    async def make(self, planned: PlannedCall) -> None:
        """Make one call, from its ring to its end."""
        began_s = self._now()
        call, outcome = await self._house_calls() if planned.from_house else await self._door_rings(planned)
        if call is not None:
            if outcome == "talked" and planned.ended_by is not Hanger.NOBODY:
                await self._talk(call, planned, began_s)
            if call.status in OVER and outcome == "talked":
                outcome = "lost"
            self._say(f"{self._now():7.1f} s  call {call.id}: {outcome}, {call.status}, ended now: {planned.ended_by}")
            await self._end(call, planned)
            if call.status not in OVER:
                self.findings.append(f"the call {call.id} of {began_s:.1f} s does not end: {call.status}")
        self._say(f"{self._now():7.1f} s  the call of {began_s:.1f} s is done with: {outcome}")
        self.outcomes[outcome] += 1
        wanted = "unanswered" if planned.ended_by is Hanger.NOBODY and not planned.from_house else "talked"
        if outcome != wanted and not self._spoilt(began_s, False):
            self.findings.append(f"a call at {began_s:.1f} s that nothing may spoil was {outcome}: {planned}")

    async def _house_calls(self) -> tuple[WebRTCCall | None, str]:
        try:
            async with asyncio.timeout(RING_S):
                call = await self._resident.call("/private/door")
        except (SignalWireError, TimeoutError):
            return None, "not reached"
        return call, "talked" if await _until(lambda: call.status == "connected", CONNECT_S) else "not connected"

    async def _door_rings(self, planned: PlannedCall) -> tuple[WebRTCCall | None, str]:
        self._expecting = True
        await asyncio.to_thread(self._house.press)
        try:
            call = await self._resident.rings(RING_S)
        except TimeoutError:
            return None, "did not ring"
        finally:
            self._expecting = False
        await asyncio.sleep(planned.answer_after_s)
        if planned.ended_by is Hanger.NOBODY:
            await asyncio.sleep(planned.ends_after_s)
            return call, "unanswered"
        try:
            await call.answer(receive_video=True)
        except SignalWireError:
            return call, "answer refused"
        return call, "talked" if await _until(lambda: call.status == "connected", CONNECT_S) else "not connected"

    async def _talk(self, call: WebRTCCall, planned: PlannedCall, began_s: float) -> None:
        """Let the call last; where it lasts long enough, both are heard."""
        await self._sound.forget()
        until_s = self._now() + planned.ends_after_s
        heard = planned.ends_after_s < TALKS_S
        while not heard and call.status not in OVER and self._now() < until_s + HEAR_S:
            heard = await self._sound.goes_both_ways()
            await asyncio.sleep(LOOK_S)
        if not heard and call.status not in OVER and not self._spoilt(began_s, True):
            self.findings.append(f"in the call {call.id} of {began_s:.1f} s they do not hear one another")
        await asyncio.sleep(max(0.0, until_s - self._now()))

    async def _end(self, call: WebRTCCall, planned: PlannedCall) -> None:
        with contextlib.suppress(SignalWireError, ControlError, OSError):
            if planned.ended_by is Hanger.HOUSE:
                await call.hangup()
            else:
                await self._door.ask("hangup")
        if not await _until(lambda: call.status in OVER, OVER_S):
            with contextlib.suppress(SignalWireError):
                await call.hangup()


async def _until(holds: Callable[[], bool], limit_s: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(limit_s):
            while not holds():
                await asyncio.sleep(LOOK_S)
    return holds()
