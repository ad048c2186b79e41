"""The settings of the house's MQTT broker, by which Home Assistant sees the door."""

import re

from intercom.config.fields import LABEL, NAME, PATH, Shape, setting
from intercom.config.table import Table
from intercom.net import is_host_or_address, split_authority

TOPIC_CHARS = 64
"""Length limit of the beginning of a topic."""


def _is_url(text: str) -> bool:
    found = re.fullmatch(r"mqtts?://([^\s/?#@]+)/?", text)
    try:
        host, port = split_authority(found[1]) if found else ("", None)
    except ValueError:
        return False
    return port != 0 and is_host_or_address(host)


MQTT_URL = Shape(
    'a URL like "mqtts://homeassistant.local:8883" or "mqtt://127.0.0.1", without a user or password', _is_url
)
TOPIC = Shape(
    'the beginning of a topic, like "intercom" or "house/doors"',
    lambda text: len(text) <= TOPIC_CHARS and re.fullmatch(r"[\w-]+(/[\w-]+)*", text, re.ASCII) is not None,
)


class MqttConfig(Table):
    """The house's MQTT broker, by which Home Assistant sees the door: docs/home-assistant.md. Off without a url."""

    url: str = setting(
        "",
        "The broker. `mqtts` encrypts; the ports are 8883 and, for `mqtt`, 1883. Empty: none, and nothing is loaded.",
        shape=MQTT_URL,
    )
    user: str = setting("", "The door's user at the broker. Empty: none.")
    password_file: str = setting("", "File with that user's password, mode 0600. Empty: none is sent.", shape=PATH)
    ca_file: str = setting(
        "",
        "File with the CA that signs the broker's certificate (PEM). Empty: those that the system trusts.",
        shape=PATH,
    )
    certificate: str = setting(
        "", "File with a certificate that the door shows to the broker (PEM). Empty: none.", shape=PATH
    )
    key: str = setting(
        "", "File with that certificate's key (PEM, without a password). Empty: it is in the same file.", shape=PATH
    )
    prefix: str = setting("intercom", "Where the door's topics begin: `PREFIX/ID/…`.", shape=TOPIC)
    discovery: str = setting(
        "homeassistant",
        "Where Home Assistant looks for devices. Empty: it is told of none, and other programs use the topics.",
        shape=TOPIC,
        may_be_empty=True,
    )
    id: str = setting(
        "",
        "The door's name in topics, for ever the same and of this door alone. Empty: one that is made from the "
        "machine's own.",
        shape=NAME,
    )
    name: str = setting("Front door", "What Home Assistant calls the door; its entities begin with it.", shape=LABEL)
    pictures: bool = setting(
        True, "Send the picture of who rings, and the camera's while it rings and in a call. The broker keeps none."
    )
    may_open: bool = setting(
        False,
        "Let the broker's users open the door: whoever may write to the door's topics. Only by `mqtts`, or on this "
        "machine.",
    )
