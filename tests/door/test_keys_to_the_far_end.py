"""The door presses telephone keys at the far end: one way at a time, so that nobody counts a press twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from bench._far_end import FarEnd
from intercom.cli.running_door import remote as cli
from intercom.config import AudioConfig, CallConfig
from intercom.door.machine import State
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.sound.engine import AudioEngine
from intercom.signalwire import InvalidStateError, WebRTCCall
from tests.door.test_handlers import say
from tests.e2e.home import Home, home_config


class Resident:
    """Whom the door talks to, and what reaches him by each way."""

    def __init__(self, home: Home, ours: WebRTCCall, call: WebRTCCall, media: DoorCall) -> None:
        self.home, self.ours, self.media = home, ours, media
        self.signalled: list[str] = []
        self.in_the_sound: list[str] = []
        call.digits_stream.subscribe(self.signalled.append)  # both ways together, paired if they came by both
        media.digits_stream.subscribe(self.in_the_sound.append)

    async def hears(self, digits: str) -> None:
        await self.home.wait_for(lambda: len(self.signalled) >= len(digits), "the keys")
        assert "".join(self.signalled) == digits


@pytest_asyncio.fixture
async def resident(tmp_path: Path) -> AsyncIterator[Resident]:
    config = home_config(audio=AudioConfig(card="simulated"), call=CallConfig(video=False))
    home = Home(tmp_path, config)
    engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None)
    await home.start()
    engine.start()
    media = DoorMedia(engine, on_event=lambda event: None)
    far_end = FarEnd(home.space, tmp_path, media=media)
    await far_end.start()
    try:
        await home.press()
        _, call = await far_end.rings()
        await call.answer(audio=True, video=False)
        await home.until(State.IN_CALL)
        assert home.door is not None
        assert home.door.calls.call is not None
        ours = home.door.calls.call
        await home.wait_for(lambda: str(ours.status) == "connected", "the call to be connected")
        yield Resident(home, ours, call, media._calls[call.id])
    finally:
        await far_end.stop()
        engine.stop()
        await home.stop()


async def test_the_command_presses_keys_by_signalling_alone_and_logs_none(
    resident: Resident, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger="intercom")
    assert (await say(resident.home, "dtmf", "1a*#")).out == "Pressed 4 keys.\n"
    await resident.hears("1A*#")
    assert resident.in_the_sound == []
    assert "1A*#" not in caplog.text


async def test_keys_go_in_the_sound_while_the_service_is_away_and_do_not_come_again(resident: Resident) -> None:
    home = resident.home
    assert home.door is not None

    async def meanwhile() -> None:
        await resident.ours.send_digits("59#")
        await resident.hears("59#")

    await home.restart_space(meanwhile)
    await home.wait_for(lambda: home.door.client.is_registered, "the service to be back")
    await resident.ours.send_digits("7")
    await resident.hears("59#7")
    assert resident.in_the_sound == ["5", "9", "#"]


async def test_who_wants_keys_in_the_sound_gets_each_once(resident: Resident) -> None:
    await resident.ours.send_digits("12", way="media")
    await resident.hears("12")
    assert resident.in_the_sound == ["1", "2"]


async def test_a_far_end_that_takes_no_keys_in_the_sound_is_said_so(
    resident: Resident, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("intercom.media.rtp.payload_types.PayloadTypes.telephone_event", None)
    with pytest.raises(InvalidStateError, match="carries no digits"):
        await resident.ours.send_digits("1", way="media")
    assert (await say(resident.home, "dtmf", "call me")).code == cli.REFUSED
    assert resident.signalled == []
