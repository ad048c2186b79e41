"""A whole door at a real broker: what a finger does is heard in the house, and what the house says is done."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.config import AudioConfig, DoorConfig, MqttConfig
from intercom.door.machine import State
from intercom.media.camera import shared
from tests.e2e.home import PATIENCE_S, Home, home_config
from tests.integrations.mqtt.mosquitto import Listener, Mosquitto, mosquitto, needs_mosquitto

pytestmark = [needs_mosquitto, pytest.mark.asyncio(loop_scope="module")]

BASE = "intercom/gate"


def says(text: str) -> Callable[[bytes], bool]:
    return lambda payload: payload == text.encode()


class House:
    """The broker, the door at it, and another program of the house."""

    def __init__(self, home: Home, broker: Mosquitto, program: Listener) -> None:
        self.home, self.broker, self.program = home, broker, program

    async def commands(self, entity: str, payload: str) -> None:
        await self.broker.publish(f"{BASE}/{entity}/set", payload)

    async def hears(self, topic: str, text: str = "") -> bytes:
        holds = says(text) if text else bool
        return (await self.program.hears(f"{BASE}/{topic}", holds)).payload

    def forgets(self) -> None:
        self.program.heard.clear()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder: Path = tmp_path_factory.mktemp("house")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "SNAPSHOT_S", PATIENCE_S)  # a cold camera on a busy machine
        async with a_house(folder) as found:
            yield found


@asynccontextmanager
async def a_house(folder: Path) -> AsyncIterator[House]:
    async with mosquitto(folder / "broker") as broker, broker.listener("#") as program:
        config = home_config(
            audio=AudioConfig(card="simulated"),
            door=DoorConfig(pulse_s=5.0),  # a busy machine tells late that it is open
            mqtt=MqttConfig(url=broker.url, id="gate", may_open=True),
        )
        home = Home(folder, replace(config, camera=replace(config.camera, look=True)))
        await home.start()
        found = House(home, broker, program)
        await found.hears("availability", "online")
        await found.hears("call", "idle")
        yield found
        await home.stop()


async def test_a_press_is_heard_with_its_picture_and_can_be_declined(house: House) -> None:
    house.forgets()
    await house.home.press()
    ring = json.loads(await house.hears("ring"))
    assert ring["event_type"] == "ring"
    assert (await house.hears("visitor")).startswith(b"\xff\xd8")
    await house.hears("call", "ringing")  # a state that lasts for less than a moment is not told
    await house.commands("decline", "PRESS")
    await house.home.until(State.IDLE)
    await house.hears("call", "idle")
    assert len(house.program.payloads(f"{BASE}/ring")) == 1


async def test_the_house_opens_the_door_and_hears_that_it_is_open_and_who_did_it(house: House) -> None:
    house.forgets()
    before = house.home.relay_pulses()
    await house.commands("lock", "UNLOCK")
    await house.hears("lock", "UNLOCKED")
    await house.hears("opened_by", "MQTT")
    await house.hears("lock", "LOCKED")
    assert house.home.relay_pulses() == before + 1


async def test_the_house_changes_a_level_and_the_camera_s_privacy(house: House) -> None:
    house.forgets()
    await house.commands("speaker_level", "-7")
    await house.hears("speaker_level", "-7")
    await house.commands("camera_privacy", "ON")
    await house.hears("camera_privacy", "ON")
    await house.commands("camera_privacy", "OFF")
    await house.hears("camera_privacy", "OFF")


async def test_the_house_asks_not_to_be_disturbed(house: House) -> None:
    house.forgets()
    await house.commands("quiet", "ON")
    await house.hears("quiet", "ON")
    await house.commands("quiet", "OFF")
    await house.hears("quiet", "OFF")


async def test_a_picture_is_taken_when_it_is_asked_for(house: House) -> None:
    house.forgets()
    await house.commands("picture", "PRESS")
    assert (await house.hears("camera")).startswith(b"\xff\xd8")


async def test_no_restart_of_broker_or_door_rings_by_itself(house: House) -> None:
    house.forgets()
    await house.broker.stop()
    await house.broker.start()
    async with house.broker.listener("#") as program:
        await program.hears(f"{BASE}/call", says("idle"))
        await program.hears(f"{BASE}/availability", says("online"))
        program.heard.clear()
        await house.home.crash_and_start_again()
        await program.hears(f"{BASE}/availability", says("offline"))
        await program.hears(f"{BASE}/availability", says("online"))
        await house.broker.publish("homeassistant/status", "online")
        await house.home.press()
        await program.hears(f"{BASE}/ring")
        await house.broker.publish(f"{BASE}/hang_up/set", "PRESS")
        await house.home.until(State.IDLE)
        assert len(program.payloads(f"{BASE}/ring")) == 1
