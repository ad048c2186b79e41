"""What `intercom doctor` finds out about the house's MQTT broker."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.config import Config
from intercom.integrations.mqtt.broker import Broker, BrokerError, Connection
from intercom.integrations.mqtt.entities import Topics
from intercom.net import authority

PAGE = "docs/home-assistant.md goes through it"


def broker(config: Config, doc: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield what the running door says of its broker, or else what a try of our own shows; and who else may write."""
    if not config.mqtt.url:
        return
    found, topics = Broker.of(config.mqtt), Topics.of(config)
    told = (doc or {}).get("integrations", {}).get("mqtt")
    place = authority(found.host, found.port)
    if told is None:
        yield Finding("mqtt", WARNING, "no running door has the broker", "restart the door")
        yield _reached(place, asyncio.run(_why_not(found, topics)))
    else:
        yield _reached(place, "" if told["connected"] else told["why"])
    if config.mqtt.may_open and not asyncio.run(
        _why_not(replace(found, user="", password_file="", certificate=""), topics)
    ):
        told = f"{place} takes anybody: whoever is in the network may open the door"
        yield Finding("mqtt", BAD, told, "let it take known users alone (mosquitto: allow_anonymous false)")


def _reached(place: str, why_not: str) -> Finding:
    if why_not:
        return Finding("mqtt", BAD, f"{place}: {why_not}", PAGE)
    return Finding("mqtt", GOOD, f"{place} takes the door")


async def _why_not(broker: Broker, topics: Topics) -> str:
    """Return why this broker does not let us read the door's commands; an empty text when it does."""
    try:
        connection = await Connection.open(broker, f"intercom-doctor-{secrets.token_hex(4)}")
        try:
            await connection.subscribe((topics.command("+"),))
        finally:
            await connection.close()
    except BrokerError as error:
        return str(error)
    return ""
