"""Levels are kept for each card, and a damaged file costs nothing but the levels."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.config import AudioConfig
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.levels import Levels, LevelStore


def test_every_card_keeps_its_own(tmp_path: Path) -> None:
    store = LevelStore(tmp_path / "levels.json")
    store.save("a", Levels(speaker_db=-6))
    store.save("b", Levels(microphone_muted=True))
    again = LevelStore(tmp_path / "levels.json")
    assert again.load("a", Levels()) == Levels(speaker_db=-6)
    assert again.load("b", Levels()) == Levels(microphone_muted=True)


def test_an_unknown_card_has_what_is_configured(tmp_path: Path) -> None:
    assert LevelStore(tmp_path / "none.json").load("a", Levels(speaker_db=3)) == Levels(speaker_db=3)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"a": 1}', '{"a": {"speaker_db": 99}}', '{"a": {"x": 1}}', '{"a": {"speaker_muted": 3}}']
)
def test_a_damaged_file_is_as_none(tmp_path: Path, text: str) -> None:
    file = tmp_path / "levels.json"
    file.write_text(text)
    store = LevelStore(file)
    assert store.load("a", Levels(speaker_db=3)) == Levels(speaker_db=3)
    store.save("a", Levels(speaker_db=1))
    assert store.load("a", Levels()) == Levels(speaker_db=1)


@given(speaker=st.floats(-60, 20), microphone=st.floats(-60, 20), muted=st.booleans())
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, speaker: float, microphone: float, muted: bool
) -> None:
    store = LevelStore(tmp_path_factory.mktemp("levels") / "levels.json")
    levels = Levels(speaker_db=speaker, microphone_db=microphone, speaker_muted=muted)
    store.save("card", levels)
    assert store.load("card", Levels()) == levels


def test_they_reach_the_engine() -> None:
    engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=lambda event: None)
    Levels(speaker_muted=True, microphone_muted=True).apply(engine)
    assert engine.speaker_muted
    assert engine.microphone_muted
