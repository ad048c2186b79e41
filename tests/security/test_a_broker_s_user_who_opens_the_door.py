"""Whoever may write to the house's broker tries to open a door whose owner has not allowed it; others read along."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from intercom.cli.checks.finding import BAD
from intercom.cli.checks.mqtt import broker as doctor
from intercom.config import AudioConfig, MqttConfig, loads
from tests.config.problems import only_problem
from tests.e2e.home import Home, home_config
from tests.integrations.mqtt.mosquitto import mosquitto, needs_mosquitto

BASE = "intercom/gate"


@needs_mosquitto
async def test_a_door_whose_owner_has_not_allowed_it_stays_closed(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as broker, broker.listener("#") as program:
        config = home_config(audio=AudioConfig(card="simulated"), mqtt=MqttConfig(url=broker.url, id="gate"))
        home = Home(tmp_path, config)
        await home.start()
        try:
            await program.hears(f"{BASE}/call")
            for word in ("UNLOCK", "OPEN"):
                await broker.publish(f"{BASE}/lock/set", word)
            await broker.publish(f"{BASE}/speaker_level/set", "-9")
            await program.hears(f"{BASE}/speaker_level", lambda payload: payload == b"-9")
            assert not home.relay_was_on()
        finally:
            await home.stop()


@pytest.mark.parametrize("url", ["mqtt://homeassistant.local", "mqtt://192.168.1.10:1883"])
def test_a_door_that_mqtt_opens_is_never_spoken_to_in_clear(url: str) -> None:
    problem = only_problem(f'[mqtt]\nurl = "{url}"\nmay_open = true')
    assert (problem.where, problem.line) == ("mqtt.may_open", 3)
    assert "mqtts:" in problem.message


@pytest.mark.parametrize("url", ["mqtts://homeassistant.local", "mqtt://127.0.0.1"])
def test_a_broker_by_tls_or_on_this_machine_may_open(url: str) -> None:
    assert loads(f'[mqtt]\nurl = "{url}"\nmay_open = true').mqtt.may_open


def test_a_password_in_the_url_is_refused_and_not_repeated() -> None:
    problem = only_problem('[mqtt]\nurl = "mqtts://door:marked@broker"')
    assert problem.where == "mqtt.url"
    assert "marked" not in str(problem)


@needs_mosquitto
async def test_the_doctor_finds_a_broker_at_which_a_stranger_could_open(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        config = loads(f'[mqtt]\nurl = "{broker.url}"\nid = "gate"\nmay_open = true')
        found = await asyncio.to_thread(lambda: list(doctor(config, None)))
    assert [finding.verdict for finding in found if "takes anybody" in finding.told] == [BAD]
