"""What a message on a topic of commands asks of the door. Pure: it comes from outside, and only these words count."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from intercom.integrations.mqtt.entities import INSTALL, LOCK, OFF, ON, OPEN, PRESS, UNLOCK

PAYLOAD_LIMIT_BYTES: Final = 32
"""Size limit of a command: the longest is a level with its digits."""
RINGING: Final = ("ringing_out", "ringing_in")
"""Phases of a call that can be declined."""


class Asked(Struct, frozen=True):
    """A command of the door, with its parameters."""

    command: str
    """Name, as over the control socket."""
    params: dict[str, Any] = {}
    """Parameters."""


class Unwanted(Struct, frozen=True):
    """Nothing is done."""

    why: str
    """Reason, as a clause."""


NOTHING: Final = Unwanted("")
"""What needs nothing done: the door locks itself."""
TAKE_A_PICTURE: Final = Asked("snapshot")
"""What takes a picture for the camera's topic."""
_PRESSED: Final = {
    "answer": Asked("answer"),
    "hang_up": Asked("hangup"),
    "test": Asked("call"),
    "picture": TAKE_A_PICTURE,
}
"""What each button asks for, but for the one that looks at the call."""
_SWITCHED: Final[dict[tuple[str, str], Asked | Unwanted]] = {
    ("quiet", ON): Asked("quiet", {"quiet": True}),
    ("quiet", OFF): Asked("quiet", {"quiet": False}),
    ("auto_reply", ON): Asked("auto_reply", {"on": True}),
    ("auto_reply", OFF): Asked("auto_reply", {"on": False}),
    ("camera_privacy", ON): Asked("camera", {"on": False}),
    ("camera_privacy", OFF): Asked("camera", {"on": True}),
    ("lock", UNLOCK): Asked("door.open"),
    ("lock", OPEN): Asked("door.open"),
    ("lock", LOCK): NOTHING,
}
"""What each word asks for at an entity that takes some."""
_LEVELS: Final = {"speaker_level": "speaker", "microphone_level": "microphone"}


def asked(key: str, payload: bytes, status: Mapping[str, Any], *, is_newer: bool) -> Asked | Unwanted:
    """Return what a message for the entity of this key asks for, with the door's status as it is now.

    :param is_newer: whether the disk holds another program than the one that runs.
    """
    if len(payload) > PAYLOAD_LIMIT_BYTES:
        return Unwanted(f"it has {len(payload)} bytes, and no command is that long")
    word = payload.decode("ascii", "replace")
    if what := _LEVELS.get(key):
        return _level(what, word)
    if key == "decline" and word == PRESS:
        ringing = status["phase"] in RINGING or status["press_waits"]
        return Asked("hangup") if ringing else Unwanted("nothing rings")
    if key == "update" and word == INSTALL:
        return Asked("restart") if is_newer else Unwanted("the program that runs is the one on the disk")
    if key in _PRESSED and word == PRESS:
        return _PRESSED[key]
    return _SWITCHED.get((key, word), Unwanted("the entity does not know that command"))


def _level(what: str, word: str) -> Asked | Unwanted:
    try:
        gain_db = float(word)
    except ValueError:
        gain_db = math.nan
    return Asked("volume", {"what": what, "gain_db": gain_db}) if math.isfinite(gain_db) else Unwanted("it is no level")
