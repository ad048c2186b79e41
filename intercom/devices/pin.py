"""Writes udev rules that give the sound card in a socket a permanent ALSA name.

Without them ALSA names two equal cards in the order in which the kernel met them, which changes from boot to boot. The
door itself knows its card again by its serial number or its socket; other programs, and a configuration that names a
card, need the rules. The names are none that the kernel gives, or one card's new name could be another's old one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from intercom.devices.device import Device
from intercom.plain_text import plain

PREFIX: Final = "Door"
"""Prefix of the ALSA names; ALSA allows 15 letters, digits and underscores."""
_PLAIN: Final = re.compile(r"[\w.:+-]+", re.ASCII)
_HEAD: Final = """\
# Written by `intercom devices pin`: a sound card has the name of its socket, whatever is plugged in first.
ACTION=="add", SUBSYSTEM=="sound", KERNEL=="card[0-9]*", IMPORT{builtin}="path_id"
"""


@dataclass(frozen=True, slots=True)
class Pin:
    """A socket with the name for a sound card in it."""

    name: str
    """ALSA id for the socket's card."""
    card: Device
    """Card in the socket now."""


def pins(cards: Sequence[Device], own: Device | None) -> list[Pin]:
    """Return a name for each USB card whose socket udev knows: `Door` for the door's own, else by their sockets."""
    pinned = [card for card in cards if card.kind == "usb" and _PLAIN.fullmatch(card.id_path)]
    pinned.sort(key=lambda card: (card != own, card.id_path))
    return [Pin(PREFIX if number == 1 else f"{PREFIX}{number}", card) for number, card in enumerate(pinned, 1)]


def rules(pinned: Sequence[Pin]) -> str:
    """Return the complete rules file."""
    lines = [
        # A device may call itself anything; a line break would end the comment.
        f"# {plain(pin.card.label)} ({pin.card.vendor}:{pin.card.product})\n"
        'ACTION=="add", SUBSYSTEM=="sound", KERNEL=="card[0-9]*", '
        f'ENV{{ID_PATH}}=="{pin.card.id_path}", ATTR{{id}}="{pin.name}"\n'
        for pin in pinned
    ]
    return _HEAD + "".join(lines)
