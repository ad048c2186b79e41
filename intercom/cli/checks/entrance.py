"""What `intercom doctor` says of the door's contact, its alarms, the exit button and the tamper switch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.render import duration

_ALARMS = {
    "tamper": (
        "the box was opened, and no keys open the door for a while",
        "look at the box; keys count again when it has been closed for 30 min",
    ),
    "door_forced": (
        "the door was forced",
        "look at the door; if it was a key or a handle, door.forced_after_s = 0",
    ),
    "door_held_open": ("the door stands open", "close it; door.held_open_s says how long it may"),
    "wrong_codes": (
        "too many wrong codes were typed, and no keys open the door for a while",
        "`intercom log` names who typed them",
    ),
}
ALARM_KINDS = frozenset(_ALARMS)
"""Kinds of fault that are alarms: nothing is broken."""


def entrance(doc: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what follows from the running door's status."""
    for fault in doc["faults"]:
        if fault["kind"] in _ALARMS:
            told, mend = _ALARMS[fault["kind"]]
            yield Finding("alarm", BAD, f"{told}, since {duration(fault['lasted_s'])}", mend)
    contact, tamper = doc["door"].get("contact"), doc.get("tamper")
    if contact is not None and contact["state"] in ("closed", "open"):
        verdict = GOOD if contact["state"] == "closed" else WARNING
        mend = "if it is closed, look at contact and magnet, or at door.contact_closed_with_door"
        yield Finding("contact", verdict, f"says that the door is {contact['state']}", mend)
    if doc["door"].get("exit_stuck"):
        yield Finding("exit button", BAD, "has been down since the start", "is it stuck, or its wire at ground?")
    if tamper is not None and not tamper["blocks_s"]:
        yield Finding("tamper", GOOD, "the box is closed")
