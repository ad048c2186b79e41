"""A whole door with its space and one resident in this process, whose calls end in every way that the service knows."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from unittest.mock import patch

from bench._far_end import FarEnd
from bench._plan import planned
from intercom.config import AudioConfig, CallConfig, HistoryConfig, PanelConfig
from intercom.door.appliance import Appliance
from intercom.door.machine import State
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.rtp.peer import DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.panel.pins import simulated_pins
from intercom.signalwire import WebRTCCall
from tests.e2e.home import Home, home_config

CALLS = planned(CallConfig(ring_time_s=3, time_limit_s=2, warning_before_end_s=0.5, auto_answer=("residents",)))

PANEL = PanelConfig(pins="simulated", page_listen="", button_lockout_ms=0)
"""These presses follow one another at once."""


LIFTED_S = 0.05
"""Time for which a finger is off the button between two presses: without it the button does not see two."""
SHORT_MEMORIES = {
    "intercom.history.journal.FACTS_KEPT": 64,
    "intercom.signalwire.client.diagnostics.MAX_EVENTS": 16,
    "intercom.signalwire.client.diagnostics.MAX_CALLS": 16,
    "intercom.signalwire.wire.session.REMEMBERED_EVENTS": 64,
    "intercom.space.switch.rings.ring.RINGS_LIMIT": 16,
    "intercom.space.push.waker.RINGS_LIMIT": 16,
}
"""Limits of what door and space remember, so low that the first calls reach them: until then each call adds to it."""
HISTORY = HistoryConfig(messages=True)
"""The space keeps messages; the door asks for them where an ending says so."""


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

    def takes_messages(self, wanted: bool) -> None:
        """Let the door ask visitors for messages, or not."""
        self.door.messages.wanted = wanted

    async def hears_a_message(self) -> None:
        """Wait until a visitor's message is taken, end it with the button, and wait until the space has it."""
        files = self.door.messages.files
        await self._home.wait_for(lambda: any(one.bytes for one in files.all(whole=False)), "a message to be taken")
        await self._home.press()
        await asyncio.sleep(LIFTED_S)
        await self._home.wait_for(lambda: not files.all(whole=False) and not files.all(), "the space to have it")

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


async def message_recorded(house: House) -> None:
    """Nobody answers; the visitor leaves a message, and ends it with the button."""
    await house.rings()
    house.takes_messages(True)
    await house.hears_a_message()
    house.takes_messages(False)


DOOR_ENDINGS: tuple[Callable[[House], Awaitable[None]], ...] = (
    declined,
    given_up_by_the_visitor,
    ended_by_the_house,
    ended_by_the_door,
    nobody_there,
    called_by_the_house,
    rung_out,
    ended_by_the_time_limit,
    message_recorded,
)


@asynccontextmanager
async def door_calls() -> AsyncIterator[Callable[[int], Awaitable[None]]]:
    """Start all; yields what makes the call of a number and waits for its end."""
    with ExitStack() as stack:
        temporary = stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-"))
        for limit, number in SHORT_MEMORIES.items():
            stack.enter_context(patch(limit, number))
        directory = Path(temporary)
        home = Home(
            directory, home_config(audio=AudioConfig(card="simulated"), call=CALLS, panel=PANEL, history=HISTORY)
        )
        home.pins = simulated_pins().factory
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
