"""Keeps a device in every role while devices come and go, and reports each change with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from intercom.devices.device import Device, find
from intercom.devices.events import DeviceRecovery, Reason
from intercom.devices.found import Finder
from intercom.devices.memory import Memory
from intercom.devices.selection import GOOD_ENOUGH, Choice, Role, Wishes, choose, rank


class Roles:
    """The microphone, the speaker and the camera of a door.

    `look()` and `works()` belong to one thread; `choices` may be read from any.
    """

    def __init__(
        self, finder: Finder, wishes: Wishes, memory: Memory, *, on_event: Callable[[DeviceRecovery], None]
    ) -> None:
        self._finder = finder
        self._wishes = wishes
        self._memory = memory
        self._on_event = on_event
        self._had: dict[Role, Device] = {}
        self.cards: Sequence[Device] = ()
        """The sound cards that are plugged in."""
        self.cameras: Sequence[Device] = ()
        """The V4L2 cameras that are plugged in."""
        self.choices: Mapping[Role, Choice] = {}
        """Choice for each role now."""

    def look(self, *, cameras_too: bool = True) -> bool:
        """Look for devices and return whether anything has changed; each video device is opened for it."""
        first = not self.choices
        cards = self._finder.sound_cards()
        cameras = self._finder.cameras() if cameras_too else self.cameras
        if not first and (cards, cameras) == (self.cards, self.cameras):
            return False
        before = self.choices
        self.cards, self.cameras = cards, cameras
        self.choices = choose(cards, cameras, self._wishes, self._memory.known)
        for role, choice in self.choices.items():
            event = self._first(role, choice) if first else self._change(role, before[role].device, choice)
            if choice.device is not None:
                self._had[role] = choice.device
            if event is not None:
                self._on_event(event)
            self._tell_apart(role)
        return True

    def works(self, role: Role) -> None:
        """Remember the device of the role: it was opened."""
        choice = self.choices[role]
        device = choice.device
        if device is None or (role != "camera" and rank(device) > GOOD_ENOUGH and not self._wishes.of(role)):
            return
        device = msgspec.structs.replace(device, plug=0)
        if choice.is_stand_in or choice.ambiguous:
            self._memory.note(device)
        else:
            self._memory.prefer(role, device, self._wishes.of(role))
            self._tell_apart(role)

    def _tell_apart(self, role: Role) -> None:
        self._memory.tell_apart(role, self._wishes.of(role), self.cameras if role == "camera" else self.cards)

    def _first(self, role: Role, choice: Choice) -> DeviceRecovery | None:
        if choice.device is None:
            return None
        if choice.ambiguous:
            return DeviceRecovery(role, None, choice.device, "ambiguous_match")
        restored = self._preferred(role) is not None and not choice.is_stand_in
        return DeviceRecovery(role, None, choice.device, "session_restored") if restored else None

    def _change(self, role: Role, old: Device | None, choice: Choice) -> DeviceRecovery | None:
        new, had = choice.device, self._had.get(role)
        reason: Reason
        if new is None:
            return None if old is None else DeviceRecovery(role, old, None, "device_disconnected")
        if old is not None and old.is_exactly(new) and old.plug == new.plug:
            return None
        if choice.ambiguous:
            reason = "ambiguous_match"
        elif choice.is_stand_in:
            reason = "fallback_to_default"
        elif had is not None and any(find(known, [new]).device for known in (had, self._preferred(role)) if known):
            reason = "device_reconnected"
        elif had is None and self._preferred(role) is not None:
            reason = "session_restored"
        else:
            reason = "default_changed"
        return DeviceRecovery(role, old, new, reason)

    def _preferred(self, role: Role) -> Device | None:
        return self._memory.known.of(role, self._wishes.of(role))
