"""Sound that is not there yet: a door with real pins waits for its card instead of pretending to have one."""

from __future__ import annotations

from typing import NoReturn

from intercom.config import AudioConfig
from intercom.media.card import Cards, Pcm, choose_cards
from intercom.media.errors import CardError
from intercom.media.events import Direction


class LaterCards:
    """`auto` for a door that has no other use for sound than its own: chooses when a PCM is opened, and again when
    the chosen card is gone, so that a card that comes late, or another one, is taken up without a restart.
    """

    def __init__(self, config: AudioConfig) -> None:
        self._config = config
        self._chosen: Cards | None = None

    @property
    def description(self) -> str:
        """Which card is used, in words."""
        return self._chosen.description if self._chosen else "no sound card yet: plug one in"

    @property
    def chosen(self) -> Cards | None:
        """The card that is used; None before there is one."""
        return self._chosen

    def open(self, direction: Direction) -> Pcm:
        """Open the PCM of this direction; CardError when no card can be had now."""
        if self._chosen is None:
            self._chosen = choose_cards(self._config, _none)
        try:
            return self._chosen.open(direction)
        except CardError:
            self._chosen = None
            raise


def _none(_: AudioConfig) -> NoReturn:
    raise CardError("there is no sound card that both plays and records: plug one in; `aplay -l` lists them")
