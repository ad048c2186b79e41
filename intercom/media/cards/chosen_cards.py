"""The engine's cards, which the device selection chooses: opened by name, reported when stale."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from intercom.media.cards.card import Pcm, open_pcm
from intercom.media.errors import CardAbsentError, CardError
from intercom.media.events import Direction

log = logging.getLogger(__name__)

DIRECTIONS: tuple[Direction, Direction] = ("capture", "playback")


class Chosen(msgspec.Struct, frozen=True):
    """The PCM to open for one direction."""

    name: str | None
    """ALSA name of the PCM; None while there is no card."""
    label: str
    """The card's name for people."""
    why: str
    """Reason for the choice, or for having no card."""
    plug: int = 0
    """Number that differs each time the card is plugged in."""


class ChosenCards:
    """The cards of a door that waits for them; `choice` returns the current choice, on any thread."""

    def __init__(self, choice: Callable[[Direction], Chosen]) -> None:
        self._choice = choice
        self._opened: dict[Direction, int | str] = {}
        """The card that each direction has or tries to open: its plug, as udev may rename an open one, or its name."""

    @property
    def description(self) -> str:
        """Description of the chosen card, in words that stay the same as long as the card does."""
        labels = [self._choice(direction).label for direction in DIRECTIONS if self._choice(direction).name]
        return " and ".join(dict.fromkeys(labels)) or "no sound card yet: plug one in"

    def name(self, direction: Direction) -> str | None:
        """Return the ALSA name of this direction's PCM; None while there is no card."""
        return self._choice(direction).name

    def open(self, direction: Direction) -> Pcm:
        """Open the PCM of this direction; CardError when it cannot be opened now, CardAbsentError without a card."""
        chosen = self._choice(direction)
        if chosen.name is None:
            raise CardAbsentError(chosen.why)
        self._opened[direction] = chosen.plug or chosen.name  # first: what opens it is not stale meanwhile
        return open_pcm(direction, chosen.name)

    def opens(self, direction: Direction) -> bool:
        """Return whether the PCM of this direction can be opened now: another program may use the card."""
        chosen = self._choice(direction)
        if chosen.name is None:
            return False
        try:
            open_pcm(direction, chosen.name).close()
        except CardError as error:
            log.info("%s is not used: %s", chosen.label, error)
            return False
        return True

    def is_stale(self, direction: Direction) -> bool:
        """Return whether another card than this direction has was chosen and is there; from any thread."""
        chosen, opened = self._choice(direction), self._opened.get(direction)
        return opened is not None and chosen.name is not None and opened != (chosen.plug or chosen.name)
