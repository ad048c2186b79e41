"""Tracks which end of a call holds the other, by request or by the direction of an offer (RFC 3264 section 8.4)."""

from __future__ import annotations

from typing import Any, Literal

from intercom.signalwire.call.dialog.run import DialogRun
from intercom.signalwire.call.media_slot import MediaSlot
from intercom.signalwire.media import PatientMedia
from intercom.signalwire.observable import Happenings, Value

DIRECTIONS = {"a=sendrecv": False, "a=sendonly": True, "a=recvonly": True, "a=inactive": True}
"""Directions of a far end, and whether each is a hold: with `sendonly` it plays music to us, or nothing."""


class Holds:
    """The holds of one call, in both directions."""

    def __init__(self, run: DialogRun, slot: MediaSlot) -> None:
        self.near: Value[bool] = Value(False)
        """Whether we hold the far end."""
        self.far: Value[bool] = Value(False)
        """Whether the far end holds us."""
        self._run = run
        self._slot = slot
        self._held_by: frozenset[str] = frozenset()
        for held in (self.near, self.far):
            held.stream.subscribe(self._expect_sound)

    async def hold(self, on: bool) -> None:
        """Hold the far end, or resume it."""
        await self._run.request(lambda dialog: dialog.hold(on))
        self.near.set(self._run.dialog.held)

    def far_holds(self, way: Literal["word", "offer"], held: bool) -> None:
        """Note whether the far end holds us, by its word or by the direction of its offer."""
        self._held_by = self._held_by | {way} if held else self._held_by - {way}
        self.far.set(bool(self._held_by))

    @property
    def either(self) -> bool:
        """Whether either end holds the other, so that silence is expected."""
        return self._run.dialog.held or self.far.value

    def streams(self) -> list[Happenings[Any]]:
        """Return the streams, which end with the call."""
        return [self.near, self.far]

    def _expect_sound(self, _: bool) -> None:
        """Tell the media, which measure the silence, whether sound must come in."""
        media = self._slot.media
        if isinstance(media, PatientMedia):
            media.expect_sound(not self.either)


def holds(offer: str) -> bool:
    """Return whether the offer's first audio is not sendrecv; its own direction counts before the session's."""
    session, *sections = f"\n{offer}".replace("\r", "\n").split("\nm=")
    audio = next((section for section in sections if section.startswith("audio ")), "")
    found = [
        DIRECTIONS[line.strip()] for part in (audio, session) for line in part.split("\n") if line.strip() in DIRECTIONS
    ]
    return bool(found) and found[0]
