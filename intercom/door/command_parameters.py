"""The parameters of the commands, bounded: they come over the control socket."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from intercom.address import LONGEST
from intercom.config.prompts import SENTENCE, SENTENCE_CHARS
from intercom.control.errors import RefusedError
from intercom.control.protocol import INVALID_PARAMS
from intercom.media.sound.levels import HIGHEST_DB, LOWEST_DB

What = Literal["microphone", "speaker"]
By = Annotated[str, msgspec.Meta(max_length=64, pattern=r"\A[ -~]*\Z")]
Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]

FOR_LIMIT_S = 31 * 24 * 3600.0
"""Limit of the time for which a command makes the house quiet."""

EXPECTED = {
    "address": f"an address has {LONGEST} characters at most",
    "digits": "expected 1 to 32 telephone keys: 0-9, *, #, A-D",
    "gain_db": f"expected a level from {LOWEST_DB:g} to {HIGHEST_DB:g} dB",
    "count": "expected a count from 0 to 10000",
    "what": "expected microphone or speaker",
    "for_s": "expected a time of up to 31 days",
    "until": 'expected a time like "07:00"',
    "words": f"expected {SENTENCE.expected}, or the name of a reply",
    "id": "expected the id of a message, as `intercom messages` lists it",
}
"""Expected value of each parameter, for the answer to a user who typed another."""


class Nothing(msgspec.Struct, forbid_unknown_fields=True):
    """Parameters of a command that takes none but who asks, where that is not the user."""

    by: By = ""
    "for example the comment of an SSH key"


class Dial(Nothing):
    """Parameters of a call to an address."""

    address: Annotated[str, msgspec.Meta(max_length=LONGEST + len("?channel=audio"))] = ""
    "empty: the address that the button rings"


class Keys(Nothing, kw_only=True):
    """Parameters of pressing telephone keys."""

    digits: Annotated[str, msgspec.Meta(pattern=r"\A[0-9*#A-D]{1,32}\Z")]


class Words(Nothing, kw_only=True):
    """Parameters of speaking at the door."""

    words: Annotated[str, msgspec.Meta(min_length=1, max_length=SENTENCE_CHARS)]
    "a sentence, or the name of a reply"


class Mute(Nothing):
    """Parameters of muting."""

    what: What = "microphone"
    on: bool = True


class Level(Nothing):
    """Speaker or microphone level in dB."""

    what: What = "speaker"
    gain_db: Annotated[float, msgspec.Meta(ge=LOWEST_DB, le=HIGHEST_DB)] | None = None
    "None asks for the present level"


class Switch(Nothing):
    """Parameters of switching something on or off."""

    on: bool | None = None
    "None asks for the present state"


class Still(Nothing):
    """Parameters of a snapshot."""

    last: bool = False
    "the picture of the last press instead of a new one"


class Named(Nothing):
    """Parameter of a test of notifications."""

    name: By = ""
    "name of the entry; empty: all"


class Quiet(Nothing):
    """Parameters of making the house quiet, or letting it ring."""

    quiet: bool | None = None
    "None asks how it is"
    for_s: Annotated[float, msgspec.Meta(gt=0, le=FOR_LIMIT_S)] | None = None
    until: Annotated[str, msgspec.Meta(pattern=r"\A(([01][0-9]|2[0-3]):[0-5][0-9])?\Z")] = ""
    "local time of the space; empty: until it is taken back"


class Last(Nothing):
    """Limit of a list: the newest entries."""

    count: Count = 20


class MessageOf(Nothing, kw_only=True):
    """Names a visitor's message."""

    id: Annotated[str, msgspec.Meta(pattern=r"\A[0-9A-Za-z-]{1,64}\Z")]


class MessagePiece(MessageOf):
    """Names a piece of a visitor's message."""

    at: Annotated[int, msgspec.Meta(ge=0, le=2**32)] = 0
    "where it begins"


P = TypeVar("P", bound=msgspec.Struct)


def read(params: Mapping[str, Any], kind: type[P]) -> P:
    """Return the parameters of a command; raises RefusedError, which says what was expected."""
    try:
        return msgspec.convert(dict(params), kind)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].rstrip("`")
        raise RefusedError(EXPECTED.get(name, str(error)), INVALID_PARAMS) from error
