"""Home Assistant, and whoever else listens to an MQTT broker: tells what happens at the door, and takes its commands.

Begin with `station.py`, `entities.py`.
"""

from __future__ import annotations

from pathlib import Path

from intercom.config import Config
from intercom.integrations.access import Access, Integration
from intercom.integrations.mqtt.broker import Broker
from intercom.integrations.mqtt.station import MqttStation


def build(config: Config, state_dir: Path, access: Access) -> Integration:
    """Return the integration of a door whose configuration names a broker; it keeps nothing in `state_dir`."""
    return MqttStation(config, access, Broker.of(config.mqtt))
