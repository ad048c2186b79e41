"""`intercom devices pin`: gives a sound card a name that lasts, whichever card is plugged in first."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from intercom.cli.options import with_config
from intercom.cli.running_door.remote import OK, TROUBLE, complain, say

if TYPE_CHECKING:
    from intercom.config import Config


def _pin(options: argparse.Namespace, config: Config) -> int:
    from intercom import atomic_file
    from intercom.devices import Finder, Memory
    from intercom.devices.memory import FILE
    from intercom.devices.pin import pins, rules
    from intercom.devices.selection import choose
    from intercom.door.devices import wishes

    cards = Finder().sound_cards()
    known = Memory(config.state_path(os.environ) / FILE).known
    pinned = pins(cards, choose(cards, [], wishes(config), known)["speaker"].device)
    if not pinned:
        complain("there is no USB sound card whose socket udev knows: plug it in; `udevadm info` must know its ID_PATH")
        return TROUBLE
    text = rules(pinned)
    if options.write is None:
        say(text.rstrip())
        return OK
    try:
        atomic_file.hand_out(options.write, text.encode(), mode=0o644)
    except OSError as error:
        complain(f"{options.write} cannot be written ({error.strerror}): run it with sudo, or name another file")
        return TROUBLE
    for pin in pinned:
        say(f'{pin.name}: "{pin.card.label}" in {pin.card.id_path}')
    say(
        f"{options.write} is written. Now `sudo udevadm control --reload`, and plug each card out and in, or restart.\n"
        f'audio.card = "plughw:CARD={pinned[0].name},DEV=0" then names the first for ever; `auto` finds it as before.'
    )
    return OK


pin = with_config(_pin)
