"""The entities that Home Assistant is offered, and the one document by which it discovers them. Pure.

Whoever adds an entity gives it a row in `_offered` here, its state in `states.py` and, where it takes commands, what
they ask of the door in `commands.py`.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from intercom import __version__
from intercom.config import Config
from intercom.config.panel import BUTTONS_LIMIT, NO_GPIO
from intercom.facts import DOOR_STATES
from intercom.media.sound.levels import HIGHEST_DB, LOWEST_DB

MACHINE_ID: Final = Path("/etc/machine-id")
"""File with the id of this installation, which is not to be shown as it is (machine-id(5))."""
ON, OFF, UNKNOWN = "ON", "OFF", "None"
"""States of what is on or off; the last stands for any state that the door does not know."""
RING, RING_AGAIN = "ring", "again"
"""Events of a button: a press begins to ring; the visitor presses once more, which rings nobody anew."""
CALL_STATES: Final = ("idle", "registering", "ringing", "in_call", "recovering")
"""States of the door station, as docs/states.md has them."""
PRESS, INSTALL, UNLOCK, OPEN, LOCK = "PRESS", "INSTALL", "UNLOCK", "OPEN", "LOCK"
"""Payloads of commands."""
LOCKED, UNLOCKED = "LOCKED", "UNLOCKED"
"""States of the lock."""
ONLINE, OFFLINE = "online", "offline"
"""States of the door, and of Home Assistant, at the broker."""
JPEG: Final = "image/jpeg"


class Entity(Struct, frozen=True):
    """One entity."""

    key: str
    """Its name in topics."""
    platform: str
    """Kind of entity."""
    settings: dict[str, Any]
    """What Home Assistant is told of it, but for the topics that every entity of its kind has."""
    offered: bool = True
    """Whether this door has it; one that it has not is taken away where an earlier start offered it."""
    has_state: bool = True
    """Whether it has a topic with its state."""
    takes_commands: bool = False
    """Whether it has a topic for commands."""


class Topics(Struct, frozen=True):
    """The door's topics."""

    base: str
    """Where all of them begin."""
    discovery: str
    """Where Home Assistant looks for devices; empty: nowhere."""
    id: str
    """The door's name in them."""

    @classmethod
    def of(cls, config: Config) -> Topics:
        """Return the topics of a configuration."""
        door = config.mqtt.id or made_id()
        return cls(f"{config.mqtt.prefix}/{door}", config.mqtt.discovery, door)

    @property
    def availability(self) -> str:
        """Topic that says whether the door is there."""
        return f"{self.base}/availability"

    @property
    def device(self) -> str:
        """Topic of the document by which Home Assistant discovers the door."""
        return f"{self.discovery}/device/{self.id}/config"

    @property
    def home_assistant(self) -> str:
        """Topic on which Home Assistant says that it has come back."""
        return f"{self.discovery}/status"

    def state(self, key: str) -> str:
        """Return the topic of an entity's state."""
        return f"{self.base}/{key}"

    def command(self, key: str) -> str:
        """Return the topic of an entity's commands; `+` for those of all."""
        return f"{self.base}/{key}/set"

    def key(self, topic: str) -> str:
        """Return the key of the entity whose topic of commands this is; empty if it is another's."""
        begins, ends = f"{self.base}/", "/set"
        return topic[len(begins) : -len(ends)] if topic.startswith(begins) and topic.endswith(ends) else ""


def made_id(machine_id: Path = MACHINE_ID) -> str:
    """Return a name for the door that is made from its machine's own, and shows nothing of it."""
    try:
        own = machine_id.read_text().strip()
    except OSError:
        own = socket.gethostname()
    return f"door-{hashlib.sha256(f'intercom mqtt {own}'.encode()).hexdigest()[:8]}"


def buttons(config: Config) -> dict[str, str]:
    """Return the key of each button's event, by the button's name."""
    names = [button.name for button in config.panel.buttons]
    return {name: RING if len(names) == 1 else f"{RING}_{number}" for number, name in enumerate(names, start=1)}


def entities(config: Config, *, wireless: bool) -> list[Entity]:
    """Return the entities that a door may have, those that this one has not among them.

    :param wireless: whether the door's machine is on a wireless network.
    """
    return [*_buttons(config), *_offered(config, wireless=wireless)]


def document(config: Config, topics: Topics, known: list[Entity]) -> dict[str, Any]:
    """Return the device discovery document."""
    origin = {"name": "Intercom", "sw_version": __version__}
    device = {
        "identifiers": [topics.id],
        "name": config.mqtt.name or topics.id,
        "manufacturer": "Intercom",
        "model": "Door station",
        "sw_version": __version__,
    }
    if config.space.public_url:
        device["configuration_url"] = f"{config.space.public_url.rstrip('/')}/station/"
    return {
        "device": device,
        "origin": origin,
        "availability": [{"topic": topics.availability}],
        "components": {entity.key: _component(entity, topics) for entity in known},
    }


def _component(entity: Entity, topics: Topics) -> dict[str, Any]:
    if not entity.offered:
        return {"platform": entity.platform}
    component = {
        "platform": entity.platform,
        "unique_id": f"{topics.id}_{entity.key}",
        **{
            name: value.format(topics.state(entity.key)) if name in _TOPICS else value
            for name, value in entity.settings.items()
        },
    }
    if entity.has_state:
        component["state_topic"] = topics.state(entity.key)
    if entity.takes_commands:
        component["command_topic"] = topics.command(entity.key)
    return component


_TOPICS: Final = ("image_topic", "topic", "json_attributes_topic")
"""Settings that name a topic by its place after that of the entity."""
_CONFIG: Final = {"entity_category": "config"}
_DIAGNOSTIC: Final = {"entity_category": "diagnostic"}


def _buttons(config: Config) -> Iterator[Entity]:
    """Yield an event for each button, and what takes away those of an earlier start."""
    keys = buttons(config)
    names = {key: name for name, key in keys.items()}
    for key in (RING, *(f"{RING}_{number}" for number in range(1, BUTTONS_LIMIT + 1))):
        name = names.get(key) or "Ring"
        told = {"name": name, "device_class": "doorbell", "event_types": [RING, RING_AGAIN]}
        yield Entity(key, "event", told, offered=key in names)


def _offered(config: Config, *, wireless: bool) -> Iterator[Entity]:
    may_open, sees = config.mqtt.may_open, config.camera.source != "off"
    in_space, pictures = config.account.credential == "space", config.mqtt.pictures
    opens = {"name": "Lock", "payload_open": OPEN}
    yield Entity("lock", "lock", opens, offered=may_open, takes_commands=True)
    yield Entity("opener", "binary_sensor", {"name": "Opener", "device_class": "lock"}, offered=not may_open)
    contact, tamper = config.door.contact_gpio != NO_GPIO, config.door.tamper_gpio != NO_GPIO
    yield Entity("contact", "binary_sensor", {"name": "Door", "device_class": "door"}, offered=contact)
    moves = {"name": "Door contact", "device_class": "enum", "options": list(DOOR_STATES), "icon": "mdi:door"}
    yield Entity("door_state", "sensor", moves, offered=contact)
    yield Entity("tamper", "binary_sensor", {"name": "Box", "device_class": "tamper"}, offered=tamper)
    calls = {"name": "Call", "device_class": "enum", "options": list(CALL_STATES), "icon": "mdi:phone"}
    yield Entity("call", "sensor", calls)
    yield Entity("in_call", "binary_sensor", {"name": "In call", "icon": "mdi:phone-in-talk"})
    yield Entity("answered_by", "sensor", {"name": "Last answered by", "icon": "mdi:account-voice"})
    yield Entity("opened_by", "sensor", {"name": "Last opened by", "icon": "mdi:account-key"})
    wifi = {
        "name": "Wi-Fi",
        "device_class": "signal_strength",
        "state_class": "measurement",
        "unit_of_measurement": "dBm",
        **_DIAGNOSTIC,
    }
    yield Entity("wifi", "sensor", wifi, offered=wireless)
    problem = {"name": "Problem", "device_class": "problem", "json_attributes_topic": "{}/why", **_DIAGNOSTIC}
    yield Entity("problem", "binary_sensor", problem)
    visitor = {"name": "Last visitor", "image_topic": "{}", "content_type": JPEG}
    yield Entity("visitor", "image", visitor, offered=sees and pictures, has_state=False)
    yield Entity("camera", "camera", {"name": "Camera", "topic": "{}"}, offered=sees and pictures, has_state=False)
    quiet = {"name": "Do not disturb", "icon": "mdi:bell-off"}
    yield Entity("quiet", "switch", quiet, offered=in_space, takes_commands=True)
    reply = {"name": "Reply by itself", "icon": "mdi:message-reply-text"}
    replies = bool(config.prompts.languages and config.prompts.auto_reply_s)
    yield Entity("auto_reply", "switch", reply, offered=replies, takes_commands=True)
    privacy = {"name": "Camera privacy", "icon": "mdi:camera-off", **_CONFIG}
    yield Entity("camera_privacy", "switch", privacy, offered=sees, takes_commands=True)
    for what in ("speaker", "microphone"):
        level = {
            "name": f"{what.capitalize()} level",
            "min": LOWEST_DB,
            "max": HIGHEST_DB,
            "step": 1,
            "mode": "slider",
            "unit_of_measurement": "dB",
            "icon": "mdi:volume-high" if what == "speaker" else "mdi:microphone",
            **_CONFIG,
        }
        yield Entity(f"{what}_level", "number", level, takes_commands=True)
    for key, name, icon in (
        ("answer", "Answer", "mdi:phone"),
        ("decline", "Decline", "mdi:phone-cancel"),
        ("hang_up", "Hang up", "mdi:phone-hangup"),
        ("test", "Test ring", "mdi:bell-ring"),
        ("picture", "Take a picture", "mdi:camera"),
    ):
        # Who may not look through the camera at any time may not do so by a button either.
        offered = key != "picture" or (sees and pictures and config.camera.look)
        told = {"name": name, "icon": icon}
        yield Entity(key, "button", told, offered=offered, has_state=False, takes_commands=True)
    update = {"name": "Program", "payload_install": INSTALL, **_CONFIG}
    yield Entity("update", "update", update, takes_commands=True)
