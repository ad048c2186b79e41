"""A whole door with its space and one resident in this process, whose calls end in every way that the service knows."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from bench._far_end import FarEnd
from intercom.config import AudioConfig, CallConfig, PanelConfig
from intercom.door.appliance import Appliance
from intercom.door.machine import State
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.rtp.peer import DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.signalwire import WebRTCCall
from tests.e2e.home import Home, home_config

CALLS = CallConfig(ring_time_s=3, time_limit_s=2, warning_before_end_s=0.5, auto_answer=("residents",))

PANEL = PanelConfig(pins="simulated", page_listen="", button_lockout_ms=0)
"""These presses follow one another at once."""


class House:
    """The door and its resident."""

    def __init__(self, home: Home, resident: FarEnd) -> None:
        self._home = home
        self._resident = resident

    @property
    def door(self) -> Appliance:
        """The door."""
        assert self._home.door is not None
        return self._home.door

    async def rings(self) -> WebRTCCall:
        """Press, and wait until the resident's client rings."""
        await self._home.press()
        _, call = await self._resident.rings()
        return call

    async def talks(self) -> WebRTCCall:
        """The same, and answer."""
        call = await self.rings()
        await call.answer(audio=True, video=False)
        await self._home.until(State.IN_CALL)
        return call

    async def calls_the_door(self) -> WebRTCCall:
        """The resident calls, and the door answers by itself."""
        call = await self._resident.client.dial("/private/door", audio=True, video=False)
        await self._home.until(State.IN_CALL)
        return call

    async def is_idle(self) -> None:
        """Wait until the door is free again."""
        await self._home.wait_for(lambda: self.door.calls.call is None, "the last call to be over")
        await self._home.until(State.IDLE)


async def declined(house: House) -> None:
    await (await house.rings()).reject()


async def given_up_by_the_visitor(house: House) -> None:
    await house.rings()
    await house.door.calls.hang_up()


async def rung_out(house: House) -> None:
    await house.rings()


async def ended_by_the_house(house: House) -> None:
    await (await house.talks()).hangup()


async def ended_by_the_door(house: House) -> None:
    await house.talks()
    await house.door.calls.hang_up()


async def ended_by_the_time_limit(house: House) -> None:
    await house.talks()


async def nobody_there(house: House) -> None:
    house.door.calls.ring("/private/nobody")


async def called_by_the_house(house: House) -> None:
    await (await house.calls_the_door()).hangup()


DOOR_ENDINGS: tuple[Callable[[House], Awaitable[None]], ...] = (
    declined,
    given_up_by_the_visitor,
    ended_by_the_house,
    ended_by_the_door,
    nobody_there,
    called_by_the_house,
    rung_out,
    ended_by_the_time_limit,
)


@asynccontextmanager
async def door_calls() -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Start all; yields what makes the call of a number and waits for its end."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        home = Home(directory, home_config(audio=AudioConfig(card="simulated"), call=CALLS, panel=PANEL))
        await home.start()
        engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None)
        engine.start()
        resident = FarEnd(home.space, directory, media=DoorMedia(engine, on_event=lambda event: None))
        await resident.start()
        house = House(home, resident)

        async def end_next(number: int) -> None:
            await DOOR_ENDINGS[number % len(DOOR_ENDINGS)](house)
            await house.is_idle()

        try:
            yield end_next
        finally:
            await resident.stop()
            engine.stop()
            await home.stop()
