"""The door's speaker and microphone levels: set for each card, kept over restarts, and lower at night."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from intercom.config import AudioConfig
from intercom.media.cards.card import Cards
from intercom.media.cards.hardware_mixer import HardwareMixer, open_mixer
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.levels import LEVELS_FILE, LOWEST_DB, Levels, LevelStore, configured
from intercom.media.sound.night import night_between

logger = logging.getLogger(__name__)

LOOK_S = 20.0
"""Interval of the looks at the clock; the night may begin so late, and a clock that was set is noticed so soon."""


class Volume:
    """The levels of the door's card. Use it on one event loop."""

    def __init__(
        self,
        engine: AudioEngine,
        cards: Cards,
        audio: AudioConfig,
        state_dir: Path,
        *,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._engine = engine
        self._cards = cards
        self._card = ""
        self._mixer = HardwareMixer({})
        self._store = LevelStore(state_dir / LEVELS_FILE)
        self._night = night_between(audio.night_from, audio.night_to)
        self._night_db = audio.night_speaker_db
        self._now = now
        self._applying = asyncio.Lock()
        self._configured = configured(audio)
        self.levels = self._configured
        """Levels by day, as set."""
        self.is_night = False
        """Whether the speaker is turned down for the night."""

    async def start(self) -> None:
        """Apply this card's levels, from the next block on."""
        self._see_the_night()
        await self.card_came()

    async def card_came(self) -> None:
        """Apply a card's own levels when it is opened, for the first time or again, over those that it came with."""
        if self._card != self._cards.description:
            self._card = self._cards.description
            self.levels = self._store.load(self._card, self._configured)
        await self.apply(freeze=True)

    async def set(self, levels: Levels) -> None:
        """Set the levels, also after a restart; they hold even if storing them fails, which raises OSError."""
        self.levels = levels
        await self.apply()
        await asyncio.to_thread(self._store.save, self._cards.description, levels)

    async def apply(self, *, freeze: bool = False) -> None:
        """Apply the levels to the engine and the card; `freeze` switches the card's automatic gain off as well."""
        wanted = self.levels
        if self.is_night:
            wanted = replace(wanted, speaker_db=max(LOWEST_DB, wanted.speaker_db + self._night_db))
        async with self._applying:
            mixer = open_mixer(self._cards)
            if mixer.devices != self._mixer.devices:  # udev may rename an open card
                self._mixer = mixer
            left = await asyncio.to_thread(_set, self._mixer, wanted, freeze=freeze)
            left.apply(self._engine)

    async def look(self) -> None:
        """Turn the speaker down or up when the night began or ended."""
        if self._see_the_night():
            await self.apply()

    def _see_the_night(self) -> bool:
        """Note whether it is night, and return whether that has changed."""
        night = self._night is not None and self._night.holds(self._now().time())
        changed = night != self.is_night
        if changed:
            self.is_night = night
            logger.info("The speaker is %s", "turned down for the night" if night else "as loud as by day")
        return changed

    async def watch_the_clock(self) -> None:
        """Look at the clock at each interval, if a night is configured."""
        while self._night is not None:
            await asyncio.sleep(LOOK_S)
            await self.look()


def _set(mixer: HardwareMixer, wanted: Levels, *, freeze: bool) -> Levels:
    """Set the card's own controls and return what is left to software."""
    with mixer.held():
        if freeze:
            mixer.freeze()
        speaker_db = mixer.set_db("playback", wanted.speaker_db)
        microphone_db = mixer.set_db("capture", wanted.microphone_db)
        mixer.set_muted("playback", wanted.speaker_muted)
        mixer.set_muted("capture", wanted.microphone_muted)
    return replace(wanted, speaker_db=speaker_db, microphone_db=microphone_db)
