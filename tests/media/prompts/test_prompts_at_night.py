"""The prompts as the speaker gets them: each as much quieter at night as the settings say, measured by BS.1770."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from intercom.config import AudioConfig
from intercom.config.prompts import PROMPTS
from intercom.door.volume import Volume
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.prompts.prompts import Prompts
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import Samples
from intercom.media.sound.mixer import Playing
from tests.media.loudness import lufs

DAY, NIGHT = datetime(2026, 3, 1, 12), datetime(2026, 3, 1, 23)


def played(engine: AudioEngine, sound: Samples) -> Samples:
    """What the speaker gets of a sentence."""
    sentence = Playing("sentence", sound, repeat=False, asked_at=0.0)
    blocks = []
    while (block := sentence.next_block()) is not None:
        blocks.append(engine._mixer.mix(None, [block]))
    return np.concatenate(blocks)


async def test_every_prompt_is_as_much_quieter_at_night_as_the_settings_say(packaged: Path, tmp_path: Path) -> None:
    audio = AudioConfig(card="simulated", night_from="22:00", speaker_gain_db=3.0, night_speaker_db=-12.0)
    cards, now = SimulatedCards(audio), DAY
    engine = AudioEngine(cards, on_event=lambda _: None)
    volume = Volume(engine, cards, audio, tmp_path, now=lambda: now)
    prompts = Prompts(["de", "en"], cache=tmp_path, packaged=packaged)
    await prompts.prepare()
    await volume.start()
    for moment, change_db in ((DAY, 3.0), (NIGHT, 3.0 - 12.0)):
        now = moment
        await volume.look()
        for name in PROMPTS:
            sound = prompts.get(name)
            assert sound is not None
            assert lufs(played(engine, sound)) == pytest.approx(lufs(sound) + change_db, abs=0.1), (name, moment)
