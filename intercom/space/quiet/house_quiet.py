"""Decides how a device of the house rings for a caller: aloud, without a sound, or not at all."""

from __future__ import annotations

import enum
from collections.abc import Callable
from datetime import tzinfo
from typing import Final

import msgspec

from intercom.config import SpaceConfig
from intercom.space.quiet.kept_quiet import KeptQuiet
from intercom.space.quiet.spells import Quiet, Spell, hushed, next_time, spell_at, woken

BUTTON: Final = "button:"
"""Beginning of an entry of `space.quiet_except` that names a button instead of an address."""


class Manner(enum.IntEnum):
    """How a device rings; of two wishes the quieter one holds."""

    NOT_AT_ALL = 0
    "the device is left alone"
    SILENTLY = 1
    "the page shows who rings and a notification comes, both without a sound"
    ALOUD = 2
    "the bell sounds"


class HouseQuiet:
    """The quiet of the house and of each of its devices.

    :param kept: where the wishes outlast this process.
    :param wall: the time of day, seconds since 1970.
    :param zone: the zone of the daily hours; None is the machine's.
    """

    def __init__(
        self, kept: KeptQuiet, config: SpaceConfig, *, wall: Callable[[], float], zone: tzinfo | None = None
    ) -> None:
        self._kept = kept
        self._config = config
        self._wall = wall
        self._zone = zone

    def manner(self, subscriber_id: str, caller: str, button: str = "") -> Manner:
        """Return how a subscriber's devices ring when the address `caller` calls, by a door's button or without one."""
        own = self._kept.of_resident(subscriber_id)
        always = self._config.quiet_except
        if own is None or caller in always or (button and BUTTON + button in always):
            return Manner.ALOUD
        return min(self._manner(own), self._manner(self.of_house()))

    def _manner(self, quiet: Quiet) -> Manner:
        if self.spell(quiet) is None:
            return Manner.ALOUD
        return Manner.SILENTLY if quiet.notify else Manner.NOT_AT_ALL

    def spell(self, quiet: Quiet) -> Spell | None:
        """Return the spell of quiet that holds now; None when it rings."""
        return spell_at(quiet, self._wall(), self._zone)

    # -- wishes ----------------------------------------------------------------------------------------------

    def of_house(self) -> Quiet:
        """Return the house's quiet: the hours of its configuration, and the order that somebody gave."""
        config = self._config
        return Quiet(config.quiet_from, config.quiet_to, config.quiet_notify, self._kept.of_house().order)

    def of_resident(self, subscriber_id: str) -> Quiet:
        """Return the quiet that a resident's device wants."""
        return self._kept.of_resident(subscriber_id) or Quiet()

    def of_residents(self) -> dict[str, Quiet]:
        """Return the same for all residents whose device wants any, by their ids."""
        return self._kept.of_residents()

    def order_house(self, *, quiet: bool, for_s: float | None = None, until: str = "") -> None:
        """Make the house quiet for a while, or until it is taken back; or let it ring. Raises StoreError."""
        self._kept.keep_house(Quiet(order=self._ordered(self.of_house(), quiet, for_s, until).order))

    def order_resident(self, subscriber_id: str, *, quiet: bool, for_s: float | None = None, until: str = "") -> None:
        """Do the same for a resident's device. Raises StoreError."""
        own = self._ordered(self.of_resident(subscriber_id), quiet, for_s, until)
        self._kept.keep_resident(subscriber_id, own)

    def set_resident(self, subscriber_id: str, *, begins: str, ends: str, notify: bool) -> None:
        """Give a resident's device its daily hours; an order that holds goes on. Raises StoreError."""
        own = msgspec.structs.replace(self.of_resident(subscriber_id), begins=begins, ends=ends, notify=notify)
        self._kept.keep_resident(subscriber_id, own)

    def names_of_quiet_devices(self) -> list[str]:
        """Return the display names of the devices that are quiet now by their own wish."""
        return [device.name for device in self._kept.devices() if self.spell(device.quiet) is not None]

    def _ordered(self, before: Quiet, quiet: bool, for_s: float | None, until: str) -> Quiet:
        now = self._wall()
        if not quiet:
            return woken(before, now, self._zone)
        if until:
            return hushed(before, now, next_time(now, until, self._zone))
        return hushed(before, now, None if for_s is None else now + for_s)
