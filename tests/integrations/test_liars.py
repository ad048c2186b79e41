"""A whole door whose broker, receiver and viewers lie: it rings, is answered, talks and opens, and nobody notices."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
import wave
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from intercom.config import AudioConfig, MqttConfig, RtspConfig, WebhookConfig
from intercom.door.health.faults import Part
from intercom.door.machine import State
from intercom.facts import DoorOpened, FaultBegan
from intercom.history.journal import Entry
from intercom.integrations.mqtt import broker as mqtt_broker
from intercom.integrations.mqtt import station as mqtt_station
from intercom.integrations.rtsp.accounts import Accounts
from intercom.integrations.webhooks import hook as webhook
from intercom.integrations.webhooks import sending
from tests.alsa import tone, tone_level_db
from tests.e2e.home import PATIENCE_S, Home, home_config
from tests.hardware.resident import HEARD_SAMPLES, LOUD_DB, Resident
from tests.liars.broker import BrokerLie, LyingBroker
from tests.liars.receiver import LyingReceiver, ReceiverLie
from tests.liars.viewers import LyingViewers, ViewerLie
from tests.ports import reserved_port

pytestmark = pytest.mark.asyncio(loop_scope="module")

VISITOR_HZ, RESIDENT_HZ = 700, 1000
VOICE_S = 60.0
WAV_HEAD_BYTES = 44
GIVEN_UP_S = 3.0
"""Instead of the 8 to 15 s for which the door waits for an answer."""
PAUSE_S = 0.2
"""Instead of the minute and more to which its pauses grow."""


@pytest.fixture(scope="module")
def impatient() -> Iterator[None]:
    """The door gives up soon, and soon tries again."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (mqtt_station, webhook):
            patch.setattr(module, "FIRST_PAUSE_S", PAUSE_S)
            patch.setattr(module, "LONGEST_PAUSE_S", PAUSE_S)
        patch.setattr(mqtt_broker, "OPEN_S", GIVEN_UP_S)
        patch.setattr(sending, "ATTEMPT_S", GIVEN_UP_S)
        yield


class Street:
    """A door, a visitor who says one tone, a resident who says another, and everybody who lies."""

    def __init__(
        self, home: Home, resident: Resident, broker: LyingBroker, receiver: LyingReceiver, viewers: LyingViewers
    ) -> None:
        assert home.door is not None
        self.home, self.door, self.resident = home, home.door, resident
        self.broker, self.receiver, self.viewers = broker, receiver, viewers
        self.faults: list[str] = []
        "kinds of the faults that began"
        self.door.journal.subscribe(self._hear)

    def _hear(self, entry: Entry) -> None:
        if isinstance(entry.fact, FaultBegan):
            self.faults.append(entry.fact.kind)

    async def visit(self) -> None:
        """A visitor presses; the house answers; they hear one another; the door is opened; it is over."""
        home, before = self.home, self.home.relay_pulses()
        self.resident.forget()
        self.heard.write_bytes(b"")
        await home.press()
        call = await self.resident.rings(PATIENCE_S)
        await call.answer(audio=True, video=False)
        await home.until(State.IN_CALL)
        await home.wait_for(lambda: self.resident.hears(VISITOR_HZ), "the resident to hear the visitor")
        await home.wait_for(lambda: self.visitor_hears(RESIDENT_HZ), "the visitor to hear the resident")
        await call.send_info({"door": "open"})
        await home.wait_for(lambda: home.relay_pulses() == before + 1, "the door to open")
        await call.hangup()
        await home.until(State.IDLE)

    @property
    def heard(self) -> Path:
        """What the loudspeaker played."""
        return Path(self.home.config.audio.simulated_recording)

    def visitor_hears(self, hz: float) -> bool:
        """Return whether the loudspeaker's last tenth of a second held this tone."""
        with self.heard.open("rb") as played:
            ends = played.seek(0, os.SEEK_END) // 2 * 2
            played.seek(max(WAV_HEAD_BYTES, ends - 2 * HEARD_SAMPLES))
            last = np.frombuffer(played.read(2 * HEARD_SAMPLES), np.int16)
        return tone_level_db(last, hz) > LOUD_DB

    async def tells(self, part: Part) -> None:
        """Wait until it was told that something outside does not work."""
        await self.home.wait_for(lambda: part in self.faults, f"the fault {part}")

    async def clears(self, part: Part) -> None:
        """Wait until the fault is over."""
        await self.home.wait_for(lambda: part not in self.door.faults.open, f"the end of the fault {part}")


@contextlib.asynccontextmanager
async def street(folder: Path) -> AsyncIterator[Street]:
    """Everybody, on good terms."""
    voice, recording = folder / "voice.wav", folder / "played.wav"
    with wave.open(str(voice), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48_000)
        file.writeframes(tone(VISITOR_HZ, VOICE_S).tobytes())
    broker, receiver = LyingBroker(), LyingReceiver()
    await broker.start()
    await receiver.start()
    with reserved_port() as port:
        audio = AudioConfig(
            card="simulated", simulated_voice=str(voice), simulated_recording=str(recording), echo_canceller="none"
        )
        config = home_config(
            audio=audio,
            mqtt=MqttConfig(url=broker.url, id="gate"),
            webhook=(WebhookConfig(url=receiver.url, picture=True),),
            rtsp=RtspConfig(listen=f"127.0.0.1:{port}", sound=True),
        )
        account = Accounts(folder).add("liar", talk=False)
        home = Home(folder, replace(config, camera=replace(config.camera, look=True)))
        await home.start()
        try:
            home.space.store.add_subscriber("kitchen", "Kitchen", groups=(config.space.group,))
            home.space.write_credential("kitchen", folder / "kitchen.json")
            viewers = LyingViewers(
                rtsp=lambda: ("127.0.0.1", port),
                account=account,
                whep=f"{home.space.url}/whep/door",
                token=home.space.store.viewers.add("liar", talks=False),
            )
            async with Resident(folder / "kitchen.json", RESIDENT_HZ) as resident:
                found = Street(home, resident, broker, receiver, viewers)
                await home.wait_for(lambda: bool(broker.heard), "the broker to have the door")
                yield found
        finally:
            await home.stop()
            await broker.stop()
            await receiver.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole_street(impatient: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Street]:
    async with street(tmp_path_factory.mktemp("street")) as found:
        yield found


@pytest_asyncio.fixture(loop_scope="module")
async def scene(whole_street: Street) -> AsyncIterator[Street]:
    """The street as it is before a test: nobody lies, and nothing is broken."""
    for part in (Part.MQTT, Part.WEBHOOKS):
        await whole_street.clears(part)
    whole_street.faults.clear()
    yield whole_street
    await whole_street.broker.tell(None)
    await whole_street.receiver.tell(None)
    whole_street.door.journal.tell(DoorOpened("a test"))  # for a receiver that took nothing and wants nothing again


@pytest.fixture
def defects(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what the door's log tells of defects: no lie is one."""
    return lambda: [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.ERROR and record.name.startswith("intercom")
    ]


@pytest.mark.parametrize("lie", BrokerLie)
async def test_a_visit_takes_its_course_whatever_the_broker_does(
    scene: Street, defects: Callable[[], list[str]], lie: BrokerLie
) -> None:
    await scene.broker.tell(lie)
    await scene.tells(Part.MQTT)
    await scene.visit()
    await scene.broker.tell(None)
    await scene.clears(Part.MQTT)
    assert defects() == []


@pytest.mark.parametrize("lie", ReceiverLie)
async def test_a_visit_takes_its_course_whatever_the_receiver_of_a_webhook_does(
    scene: Street, defects: Callable[[], list[str]], lie: ReceiverLie
) -> None:
    await scene.receiver.tell(lie)
    await scene.visit()
    if lie is not ReceiverLie.TALKS:  # which said first that it has it
        await scene.tells(Part.WEBHOOKS)
    await scene.receiver.tell(None)
    scene.door.journal.tell(DoorOpened("a test"))
    await scene.clears(Part.WEBHOOKS)
    assert defects() == []


@pytest.mark.parametrize("lie", ViewerLie)
async def test_a_visit_takes_its_course_whatever_viewers_do(
    scene: Street, defects: Callable[[], list[str]], lie: ViewerLie
) -> None:
    lying = asyncio.create_task(scene.viewers.lie(lie, random.Random(1)))
    try:
        async with asyncio.timeout(PATIENCE_S):
            await scene.viewers.lied.wait()
        await scene.visit()
    finally:
        lying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await lying
    assert defects() == []
