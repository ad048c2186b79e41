"""Somebody has the broker keep UNLOCK for the door, so that it opens by itself at each of its starts."""

from __future__ import annotations

from pathlib import Path

from tests.integrations.mqtt.mosquitto import mosquitto, needs_mosquitto
from tests.integrations.mqtt.test_station import BASE, Door, config_of, station


@needs_mosquitto
async def test_a_command_that_the_broker_had_kept_opens_nothing(tmp_path: Path) -> None:
    async with mosquitto(tmp_path) as broker, broker.listener("#") as house:
        await broker.publish(f"{BASE}/lock/set", "UNLOCK", retain=True)
        await broker.publish(f"{BASE}/test/set", "PRESS", retain=True)
        door = Door()
        async with station(door, config_of(broker.url, may_open=True)):
            await house.hears(f"{BASE}/call")
            await broker.publish(f"{BASE}/quiet/set", "ON")
            await door.is_asked()
        assert [command for command, _, _ in door.asked] == ["quiet"]
