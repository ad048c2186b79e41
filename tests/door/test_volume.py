"""The door's levels: kept for the card, quieter at night."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from intercom.config import AudioConfig
from intercom.door.volume import Volume
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import SILENCE
from intercom.media.sound.levels import LEVELS_FILE, Levels, LevelStore
from intercom.media.sound.mixer import Mixer
from tests.alsa import cards_named


class Door:
    """An engine whose speaker's gain can be seen, and a clock."""

    def __init__(self, state_dir: Path, audio: AudioConfig) -> None:
        cards = SimulatedCards(audio)
        self.engine = AudioEngine(cards, on_event=lambda _: None)
        self.now = datetime(2026, 3, 1, 12)
        self.volume = Volume(self.engine, cards, audio, state_dir, now=lambda: self.now)

    @property
    def speaker(self) -> int:
        """What becomes of a sample of 10000."""
        mixer: Mixer = self.engine._mixer
        return int(mixer.mix(SILENCE + SILENCE.dtype.type(10_000), [])[-1])


NIGHTS = AudioConfig(card="simulated", night_from="22:00", speaker_gain_db=-6)


async def test_levels_outlive_a_restart(tmp_path: Path) -> None:
    await Door(tmp_path, NIGHTS).volume.set(Levels(speaker_db=-20, microphone_muted=True))
    again = Door(tmp_path, NIGHTS)
    await again.volume.start()
    assert again.speaker == 1000
    assert again.engine.microphone_muted


async def test_the_speaker_is_softer_at_night_and_as_before_by_day(tmp_path: Path) -> None:
    door = Door(tmp_path, NIGHTS)
    await door.volume.start()
    assert door.speaker == 5011
    door.now = datetime(2026, 3, 1, 22)
    await door.volume.look()
    assert door.speaker == 1584
    door.now = datetime(2026, 3, 2, 7)
    await door.volume.look()
    assert door.speaker == 5011


async def test_a_volume_that_is_set_at_night_is_that_of_the_day(tmp_path: Path) -> None:
    door = Door(tmp_path, NIGHTS)
    door.now = datetime(2026, 3, 1, 23)
    await door.volume.start()
    await door.volume.set(Levels(speaker_db=0))
    assert door.speaker == 3162
    assert door.volume.levels.speaker_db == 0


class ComingCards(SimulatedCards):
    """A card that is plugged in later."""

    description = "no sound card yet"


async def test_a_card_that_comes_later_gets_its_own_levels(tmp_path: Path) -> None:
    LevelStore(tmp_path / LEVELS_FILE).save("box", Levels(speaker_db=-12))
    cards = ComingCards(NIGHTS)
    engine = AudioEngine(cards, on_event=lambda _: None)
    volume = Volume(engine, cards, NIGHTS, tmp_path)
    await volume.start()
    assert volume.levels.speaker_db == -6
    cards.description = "box"
    await volume.card_came()
    assert volume.levels.speaker_db == -12


async def test_a_card_that_goes_again_while_its_levels_are_set_is_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cards = cards_named("hw:Gone", "hw:Gone")
    volume = Volume(AudioEngine(cards, on_event=lambda _: None), cards, NIGHTS, tmp_path)
    await volume.card_came()
    await volume.card_came()
    assert [record.levelname for record in caplog.records].count("WARNING") == 1
