"""A door at a real broker that goes and comes: what it tells, what it takes, and what it keeps for itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intercom.config import Config, MqttConfig
from intercom.control.errors import RefusedError
from intercom.control.protocol import REFUSED
from intercom.facts import Pressed, PressWaits, StateChanged
from intercom.history.journal import Entry, Journal, Listener
from intercom.integrations.access import Program
from intercom.integrations.mqtt import station as station_module
from intercom.integrations.mqtt.broker import Broker
from intercom.integrations.mqtt.station import LONGEST_PAUSE_S, MqttStation
from intercom.opening.decision import Way
from tests.integrations.mqtt.mosquitto import WAIT_S, Mosquitto, mosquitto, needs_mosquitto
from tests.integrations.mqtt.mosquitto import Listener as House
from tests.integrations.mqtt.test_states import STATUS
from tests.liars.broker import BrokerLie, LyingBroker
from tests.ports import reserved_port

RING, BASE = "intercom/gate/ring", "intercom/gate"
PICTURE = b"\xff\xd8 of who rings"


class Door:
    """The door as the integration sees it: a real journal, and a status that the test sets."""

    def __init__(self) -> None:
        self.journal = Journal(self.failed)
        self.document: dict[str, Any] = {**STATUS, "press_waits": False}
        self.asked: list[tuple[str, Mapping[str, Any], Program]] = []
        self.asked_for = asyncio.Event()
        self.refuses = False
        self.faults: list[str] = []
        self.changed = asyncio.Event()

    @property
    def cursor(self) -> int:
        return self.journal.cursor

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self.journal.subscribe(listener)

    def since(self, cursor: int) -> list[Entry]:
        return self.journal.since(cursor)

    def status(self) -> dict[str, Any]:
        return self.document

    async def ask(self, command: str, params: Mapping[str, Any], *, caller: Program) -> Any:
        if command == "calls":
            return []
        self.asked.append((command, params, caller))
        self.asked_for.set()
        if self.refuses:
            raise RefusedError("not now", REFUSED)
        return {}

    async def snapshot(self) -> bytes:
        return PICTURE

    async def press_picture(self) -> bytes:
        return PICTURE

    def broken(self, why: str) -> None:
        self.faults.append(why)
        self.changed.set()

    def works(self) -> None:
        self.faults.append("")
        self.changed.set()

    def failed(self, error: BaseException) -> None:
        raise AssertionError("the integration failed") from error

    async def is_asked(self) -> tuple[str, Mapping[str, Any], Program]:
        """Wait for the next command."""
        async with asyncio.timeout(WAIT_S):
            await self.asked_for.wait()
        self.asked_for.clear()
        return self.asked[-1]

    async def has(self, holds: Callable[[], bool]) -> None:
        """Wait until the faults are as wanted."""
        async with asyncio.timeout(WAIT_S):
            while not holds():
                self.changed.clear()
                await self.changed.wait()


def config_of(url: str, **settings: Any) -> Config:
    return replace(Config(), mqtt=MqttConfig(url=url, **{"id": "gate", **settings}))


@asynccontextmanager
async def station(door: Door, config: Config) -> AsyncIterator[MqttStation]:
    """The integration, which tries again at once where its broker is away."""

    async def at_once(_: float) -> None:
        await asyncio.sleep(0.01)

    found = MqttStation(config, door, Broker.of(config.mqtt), pause=at_once)
    await found.start()
    try:
        yield found
    finally:
        await found.stop()


@asynccontextmanager
async def at_a_broker(folder: Path, **settings: Any) -> AsyncIterator[tuple[Door, Mosquitto, House]]:
    """A door at a broker, and another program of the house that hears all of it."""
    async with mosquitto(folder) as broker, broker.listener("#") as house:
        door = Door()
        async with station(door, config_of(broker.url, **settings)):
            await house.hears(f"{BASE}/call")
            yield door, broker, house


def says(text: str) -> Callable[[bytes], bool]:
    return lambda payload: payload == text.encode()


@needs_mosquitto
async def test_a_program_that_comes_later_finds_the_door_and_its_states_but_no_ring(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (door, broker, house):
        door.journal.tell(Pressed("/private/house", 1, "", "ring-1"))
        await house.hears(f"{BASE}/visitor", lambda payload: payload == PICTURE)
        async with broker.listener("#") as late:
            assert (await late.hears(f"{BASE}/availability", says("online"))).retained
            assert (await late.hears(f"{BASE}/call", says("idle"))).retained
            device = json.loads((await late.hears("homeassistant/device/gate/config")).payload)
            assert device["components"]["ring"]["platform"] == "event"
            assert not {RING, f"{BASE}/visitor", f"{BASE}/camera"} & {message.topic for message in late.heard}


@needs_mosquitto
async def test_news_without_end_put_no_state_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(station_module, "SETTLES_S", 0.0)

    async def tell_without_end(door: Door) -> None:
        while True:
            door.journal.tell(StateChanged("ringing", "ringing_out", "pressed"))
            await asyncio.sleep(0)

    async with at_a_broker(tmp_path) as (door, _, house):
        door.document["state"] = "ringing"
        telling = asyncio.create_task(tell_without_end(door))
        await house.hears(f"{BASE}/call", says("ringing"))
        telling.cancel()


@needs_mosquitto
async def test_a_press_is_one_event_with_its_picture(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (door, _, house):
        door.journal.tell(PressWaits("no service", "ring-1"))
        door.journal.tell(Pressed("/private/house", 1, "", "ring-1"))
        ring = await house.hears(RING)
        assert json.loads(ring.payload)["event_type"] == "ring"
        await house.hears(f"{BASE}/visitor")
        door.document["state"] = "ringing"
        door.journal.tell(StateChanged("ringing", "ringing_out", "pressed"))
        await house.hears(f"{BASE}/call", says("ringing"))
        assert len(house.payloads(RING)) == 1


@needs_mosquitto
async def test_a_press_of_before_the_start_that_rings_on_is_no_new_one(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.listener("#") as house:
        door = Door()
        door.journal.tell(PressWaits("the door has started again", "ring-1"))
        async with station(door, config_of(broker.url)):
            await house.hears(f"{BASE}/call")
            door.journal.tell(Pressed("/private/house", 1, "", "ring-1"))
            door.journal.tell(Pressed("/private/house", 1, "", "ring-2"))
            assert json.loads((await house.hears(RING)).payload)["press"] == "ring-2"


@needs_mosquitto
async def test_a_broker_that_was_away_is_caught_up_with_states_and_not_with_old_rings(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (door, broker, _):
        await broker.stop()
        await door.has(lambda: bool(door.faults[-1]))
        door.journal.tell(Pressed("/private/house", 1, "", "while-away"))
        door.document["state"] = "in_call"
        door.journal.tell(StateChanged("in_call", "active", "answered"))
        await broker.start()
        async with broker.listener("#") as house:
            await house.hears(f"{BASE}/call", says("in_call"))
            await house.hears("homeassistant/device/gate/config")
            await door.has(lambda: not door.faults[-1])
            door.journal.tell(Pressed("/private/house", 1, "", "now"))
            assert json.loads((await house.hears(RING)).payload)["press"] == "now"


@needs_mosquitto
async def test_the_figures_say_what_the_broker_got_and_what_it_never_will(tmp_path: Path) -> None:
    door = Door()
    async with mosquitto(tmp_path) as broker, station(door, config_of(broker.url, pictures=False)) as one:
        await door.has(lambda: door.faults[-1:] == [""])
        before = figures_of(one)
        async with broker.listener(RING) as house:
            door.journal.tell(Pressed("/private/house", 1, "", "now"))
            await house.hears(RING)
        after = figures_of(one)
        assert after["intercom_mqtt_connected"] == 1
        assert after["intercom_mqtt_published_total"] > before["intercom_mqtt_published_total"] > 0
        await broker.stop()
        await door.has(lambda: bool(door.faults[-1]))
        before = figures_of(one)
        door.journal.tell(Pressed("/private/house", 1, "", "while-away"))
        after = figures_of(one)
        assert after["intercom_mqtt_connected"] == 0
        assert after["intercom_mqtt_dropped_total"] == before["intercom_mqtt_dropped_total"] + 1


def figures_of(station: MqttStation) -> dict[str, float]:
    return {sample.name: sample.value for family in station.figures() for sample in family.samples}


@needs_mosquitto
async def test_home_assistant_that_comes_back_is_told_all_again(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (_, broker, house):
        before = len(house.payloads("homeassistant/device/gate/config"))
        house.heard.clear()
        await broker.publish("homeassistant/status", "online")
        await house.hears("homeassistant/device/gate/config")
        await house.hears(f"{BASE}/call", says("idle"))
        assert before == 1


@needs_mosquitto
async def test_a_command_is_asked_of_the_door_in_the_name_of_mqtt(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (door, broker, _):
        await broker.publish(f"{BASE}/quiet/set", "ON")
        command, params, caller = await door.is_asked()
        assert (command, params, caller.way) == ("quiet", {"quiet": True}, Way.MQTT)


@needs_mosquitto
async def test_a_command_that_the_door_refuses_shows_how_it_is(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path) as (door, broker, house):
        door.refuses = True
        house.heard.clear()
        await broker.publish(f"{BASE}/camera_privacy/set", "ON")
        await house.hears(f"{BASE}/camera_privacy", says("OFF"))


@needs_mosquitto
async def test_a_door_that_stops_says_so_before_it_goes(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.listener("#") as house:
        async with station(Door(), config_of(broker.url)):
            await house.hears(f"{BASE}/availability", says("online"))
        await house.hears(f"{BASE}/availability", says("offline"))


@needs_mosquitto
async def test_other_programs_use_the_topics_without_home_assistant(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path, discovery="") as (_, _broker, house):
        assert not [message.topic for message in house.heard if message.topic.startswith("homeassistant")]


@needs_mosquitto
async def test_the_picture_stays_at_home_where_its_owner_says_so(tmp_path: Path) -> None:
    async with at_a_broker(tmp_path, pictures=False) as (door, _, house):
        door.journal.tell(Pressed("/private/house", 1, "", "ring-1"))
        await house.hears(RING)
        door.document["state"] = "ringing"
        door.journal.tell(StateChanged("ringing", "ringing_out", "pressed"))
        await house.hears(f"{BASE}/call", says("ringing"))
        assert house.payloads(f"{BASE}/visitor") == house.payloads(f"{BASE}/camera") == []


async def test_a_broker_that_stays_away_is_tried_less_and_less_often() -> None:
    door, pauses, enough = Door(), list[float](), asyncio.Event()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) >= 9:
            enough.set()
            await asyncio.Event().wait()

    with reserved_port() as port:
        config = config_of(f"mqtt://127.0.0.1:{port}")
        found = MqttStation(config, door, Broker.of(config.mqtt), pause=pause)
        await found.start()
        async with asyncio.timeout(WAIT_S):
            await enough.wait()
        door.journal.tell(Pressed("/private/house", 1, "", "ring-1"))
        assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, LONGEST_PAUSE_S, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
        assert found.document()["connected"] is False
        assert "refused" in str(found.document()["why"]).lower()
        assert "MQTT broker 127.0.0.1" in door.faults[0]
        await found.stop()


class DoorWithFaults(Door):
    """A door whose status shows the fault of its broker."""

    def broken(self, why: str) -> None:
        self.document["faults"] = [{"kind": "mqtt", "why": why, "since": "now"}]
        super().broken(why)

    def works(self) -> None:
        self.document["faults"] = []
        super().works()


async def test_a_broker_that_is_back_hears_of_no_fault_that_is_over() -> None:
    door, broker = DoorWithFaults(), LyingBroker()
    await broker.start()
    await broker.tell(BrokerLie.REFUSES)
    async with station(door, config_of(broker.url)):
        await door.has(lambda: bool(door.faults))
        await broker.tell(None)
        async with asyncio.timeout(WAIT_S):
            while f"{BASE}/problem" not in dict(broker.heard):
                await asyncio.sleep(0.01)
        assert dict(broker.heard)[f"{BASE}/problem"] == b"OFF"
    await broker.stop()


async def test_the_status_shows_the_broker_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("marked-secret")
    config = config_of("mqtt://127.0.0.1:1", user="door", password_file=str(tmp_path / "password"))
    shown = str(MqttStation(config, Door(), Broker.of(config.mqtt)).document())
    assert "127.0.0.1:1" in shown and "marked-secret" not in shown
