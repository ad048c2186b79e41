"""The states of the door's entities, from its status and its facts. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from intercom.address import Address
from intercom.config import Config
from intercom.facts import CLOSED, Answered, DoorOpened, Fact, Pressed, PressedAgain, PressWaits
from intercom.history.journal import Entry
from intercom.integrations.mqtt.entities import LOCKED, OFF, ON, RING, RING_AGAIN, UNKNOWN, UNLOCKED, buttons
from intercom.plain_text import plain

NAME_CHARS: Final = 100
"""Limit of a name: Home Assistant takes states of 255 characters at most."""
FAULTS_SHOWN: Final = 20
"""Limit of the faults that are named."""


class Last:
    """Who answered and who opened last, until now; empty while nobody has."""

    def __init__(self) -> None:
        self.answered_by = ""
        self.opened_by = ""

    def take(self, fact: Fact) -> None:
        """Take a fact of the journal."""
        match fact:
            case Answered(call) if call.direction == "outbound":
                self.answered_by = call.name or call.address
            case DoorOpened(by):
                self.opened_by = by

    def recall(self, calls: Iterable[Mapping[str, Any]]) -> None:
        """Take what the call log says of the time before the start, the newest call first."""
        for call in calls:
            if call["direction"] == "outbound" and call["outcome"] == "answered":
                self.answered_by = self.answered_by or call["name"] or call["address"]
            self.opened_by = self.opened_by or call["door_opened_by"]


class Presses:
    """Tells which facts are a press of a button, each press once."""

    def __init__(self, config: Config) -> None:
        self._buttons = buttons(config)
        steps = [address for step in config.call.plan for address in step.ring]
        self._rung = {str(Address.parse(address)) for address in (config.call.ring, *steps)}
        self._ring = ""
        "id of the last press"

    def take(self, entry: Entry) -> tuple[str, dict[str, Any]] | None:
        """Return the key of the button's event and what it holds; None if nobody has pressed."""
        match entry.fact:
            case PressWaits(_, ring, button) if button in self._buttons and self._is_new(ring):
                return self._event(RING, button, entry)
            case Pressed(address, _, button, ring) if self._is_button(address, button) and self._is_new(ring):
                return self._event(RING, button, entry)
            case PressedAgain(_, button) if button in self._buttons:
                return self._event(RING_AGAIN, button, entry)
        return None

    def _is_button(self, address: str, button: str) -> bool:
        """Return whether a press came by a button, or by a command that does what one does."""
        return button in self._buttons and all(rung in self._rung for rung in address.split(", ") if rung)

    def _is_new(self, ring: str) -> bool:
        known, self._ring = self._ring == ring, ring
        return not known

    def _event(self, kind: str, button: str, entry: Entry) -> tuple[str, dict[str, Any]]:
        told = {"event_type": kind, "at": entry.at.isoformat(timespec="milliseconds"), "press": self._ring}
        return self._buttons[button], told | ({"button": button} if button else {})


def states(status: Mapping[str, Any], last: Last, *, wifi_dbm: int | None, installed: str) -> dict[str, str]:
    """Return the payload of each entity's state, by its key.

    :param wifi_dbm: level of the wireless network; None without one.
    :param installed: version of the program on the disk, which the next start will run.
    """
    quiet, picture, sound = status["quiet"], status["picture"], status["sound"]
    unlocked, contact, tamper = bool(status["door"]["open"]), status["door"]["contact"], status["tamper"]
    faults = [{"kind": fault["kind"], "why": fault["why"], "since": fault["since"]} for fault in status["faults"]]
    return {
        "lock": UNLOCKED if unlocked else LOCKED,
        "opener": _on(unlocked),
        "contact": UNKNOWN if contact is None else _on(contact["state"] != CLOSED),
        "door_state": UNKNOWN if contact is None else contact["state"],
        "tamper": UNKNOWN if tamper is None else _on(tamper["open"]),
        "call": status["state"],
        "in_call": _on(status["phase"] == "active"),
        "answered_by": _name(last.answered_by),
        "opened_by": _name(last.opened_by),
        "wifi": UNKNOWN if wifi_dbm is None else str(wifi_dbm),
        "problem": _on(bool(faults)),
        "problem/why": json.dumps({"faults": faults[:FAULTS_SHOWN]}),
        "quiet": UNKNOWN if quiet is None else _on(quiet["house"]),
        "auto_reply": _on(bool(status["auto_reply"])),
        "camera_privacy": UNKNOWN if picture is None else _on(bool(picture["forbidden_by"])),
        "speaker_level": f"{sound['speaker_gain_db']:g}",
        "microphone_level": f"{sound['microphone_gain_db']:g}",
        "update": json.dumps({"installed_version": status["version"], "latest_version": installed}),
    }


def _on(holds: bool) -> str:
    return ON if holds else OFF


def _name(text: str) -> str:
    return plain(text, NAME_CHARS) or UNKNOWN
