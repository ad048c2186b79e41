"""What an MQTT broker sends: packets, and messages on the door's topics of commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from intercom.integrations.mqtt import wire
from intercom.integrations.mqtt.commands import Asked, asked
from intercom.integrations.mqtt.entities import Topics
from intercom.integrations.mqtt.wire import Message, Packets, WireError

TOPICS = Topics("intercom/gate", "homeassistant", "gate")
STATUS = {"phase": "none", "press_waits": False}
HARMLESS = {"answer", "hangup", "call", "snapshot", "quiet", "auto_reply", "camera", "volume", "door.open"}
"""Commands that a message may ask for while the program that runs is the one on the disk."""
SEEDS = (
    b"\x20\x02\x00\x00\x90\x04\x00\x01\x00\x00\xd0\x00",
    *(
        wire.publish(Message(TOPICS.command(key), payload))
        for key, payload in (("lock", b"UNLOCK"), ("speaker_level", b"-12.5"), ("quiet", b"ON"), ("test", b"PRESS"))
    ),
    wire.publish(Message(TOPICS.home_assistant, b"online", retained=True)),
)


def packets() -> Callable[[bytes], None]:
    """Read bytes as a broker's, and each message as a command."""

    def read(data: bytes) -> None:
        reader = Packets()
        with contextlib.suppress(WireError):
            for packet in reader.feed(data):
                if isinstance(packet, Message):
                    wish = asked(TOPICS.key(packet.topic), packet.payload, STATUS, is_newer=False)
                    assert not isinstance(wish, Asked) or wish.command in HARMLESS

    return read
