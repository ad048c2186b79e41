"""What `intercom doctor` says of the house's MQTT broker."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.checks.mqtt import broker as look
from intercom.config import Config, loads
from tests.integrations.mqtt.mosquitto import mosquitto, needs_mosquitto
from tests.ports import reserved_port


def config_of(url: str, more: str = "") -> Config:
    return loads(f'[mqtt]\nurl = "{url}"\nid = "gate"\n{more}')


async def findings(config: Config, told: dict[str, Any] | None) -> list[Finding]:
    doc = None if told is None else {"integrations": {"mqtt": told}}
    return await asyncio.to_thread(lambda: list(look(config, doc)))


async def test_a_door_without_a_broker_is_asked_nothing() -> None:
    assert await findings(Config(), None) == []


async def test_the_running_door_says_whether_its_broker_takes_it() -> None:
    config = config_of("mqtts://broker.local")
    (good,) = await findings(config, {"connected": True, "why": ""})
    assert (good.verdict, good.told) == (GOOD, "broker.local:8883 takes the door")
    (bad,) = await findings(config, {"connected": False, "why": "its certificate is not trusted"})
    assert (bad.verdict, bad.told) == (BAD, "broker.local:8883: its certificate is not trusted")
    assert bad.mend


async def test_a_door_that_does_not_run_is_tried_out() -> None:
    with reserved_port() as port:
        waits, bad = await findings(config_of(f"mqtt://127.0.0.1:{port}"), None)
    assert (waits.verdict, bad.verdict) == (WARNING, BAD)
    assert "refused" in bad.told.lower()


@needs_mosquitto
async def test_a_real_broker_takes_the_door(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker:
        _, good = await findings(config_of(broker.url), None)
    assert good.verdict == GOOD
