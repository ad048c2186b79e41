"""Reads what a Verto message holds: bounded, for it comes from outside."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import msgspec

from intercom.signalwire.wire.messages import BadFrameError, VertoMessage
from intercom.space.errors import RefusedError
from intercom.space.switch.calls.sdp import plausible

VARIABLES_LIMIT_BYTES: Final = 4096
"""Size limit of an invite's user variables; a door's have 100 bytes. They are kept for each end that rings."""
INFO_LIMIT_BYTES: Final = 4096
"""Size limit of a verto.info; a door's have 60 bytes. It goes to each end that rings."""
CALL_ID_LIMIT_CHARS: Final = 64
"""Length limit of a callID; a UUID has 36 characters."""

T = TypeVar("T")
_DIGITS: Final = re.compile(r"[0-9A-D#*,wW]{1,32}")
_OWN: Final = {"dialogParams", "sessid", "callID"}
"""Parameters of a verto.info that are each end's own."""


def known(message: VertoMessage, methods: Mapping[str, T]) -> T:
    """Return what belongs to the message's method; `RefusedError` names one that is not among them."""
    if message.method not in methods:
        raise RefusedError(f"There is no {message.method[:40]} here")
    return methods[message.method]


def variables_of(value: object) -> dict[str, Any]:
    """Return the invite's user variables if they are small enough to be kept for every end that rings."""
    if not isinstance(value, dict):
        return {}
    if len(msgspec.json.encode(value)) > VARIABLES_LIMIT_BYTES:
        raise RefusedError(f"userVariables may have {VARIABLES_LIMIT_BYTES} bytes as JSON")
    return value


def dialog_of(message: VertoMessage) -> dict[str, Any]:
    """Return the message's dialogParams; {} when it has none."""
    dialog = message.params.get("dialogParams")
    return dialog if isinstance(dialog, dict) else {}


def call_id_of(message: VertoMessage) -> str:
    """Return the id of the call that the message is about; raises `RefusedError` when it names none."""
    call_id = dialog_of(message).get("callID") or message.params.get("callID")
    if not isinstance(call_id, str) or not 0 < len(call_id) <= CALL_ID_LIMIT_CHARS:
        raise RefusedError(f"callID must be a string of 1 to {CALL_ID_LIMIT_CHARS} characters")
    return call_id


def description_of(message: VertoMessage) -> str:
    """Return the message's session description; raises `RefusedError` when it has none that can be one."""
    sdp = message.params.get("sdp")
    if not plausible(sdp):
        raise RefusedError("sdp must be a session description of at most 65536 characters, its fingerprint SHA-256")
    return sdp


def info_of(message: VertoMessage) -> dict[str, Any]:
    """Return what a verto.info passes on; raises `RefusedError` when its keys are none, or when it is too much."""
    digits = message.params.get("dtmf")
    if digits is not None and not (isinstance(digits, str) and _DIGITS.fullmatch(digits)):
        raise RefusedError("dtmf holds up to 32 of 0 to 9, A to D, # and *")
    params = {key: value for key, value in message.params.items() if key not in _OWN}
    if len(msgspec.json.encode(params)) > INFO_LIMIT_BYTES:
        raise RefusedError(f"verto.info may have {INFO_LIMIT_BYTES} bytes as JSON")
    return params


def refuse_beside_a_call(dialog: dict[str, Any]) -> None:
    """Raise `BadFrameError` for an invite of a screen or of another device beside a call.

    It refuses the request as a whole, as one of bad parameters: on any other refusal the reference ends the call too.
    """
    if dialog.get("screenShare") is True or dialog.get("additionalDevice") is True:
        raise BadFrameError("A call here has one connection at each end: no screen or other device goes beside it.")
