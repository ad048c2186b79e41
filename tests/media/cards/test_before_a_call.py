"""What was said at the door before a call is in no call."""

from __future__ import annotations

import time

import numpy as np
import pytest

from intercom.media.cards import pcm_loss
from intercom.media.cards.pcm_line import CaptureLine
from intercom.media.sound.format import Samples
from tests.alsa import MICROPHONE, PATIENCE_S, RATE_HZ, SPEAKER, AlsaCards, cards_named, tone, tone_level_db

TURN_S = 0.002
SECRET_HZ = 700.0


def heard(line: CaptureLine, seconds: float) -> Samples:
    """The next so many seconds of what a microphone hears."""
    blocks: list[Samples] = []
    give_up = time.monotonic() + PATIENCE_S
    while sum(map(len, blocks)) < seconds * RATE_HZ:
        assert time.monotonic() < give_up
        blocks.append(line.captured(time.monotonic()))
        time.sleep(TURN_S)
    return np.concatenate(blocks)


def test_a_microphone_that_was_opened_before_hears_only_what_comes_after_its_start(
    alsa_cards: AlsaCards, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SILENT_S", "START_SILENT_S"):  # a sound server that a busy machine gives no time is no lost card
        monkeypatch.setattr(pcm_loss, name, PATIENCE_S)
    cards = cards_named(MICROPHONE, SPEAKER)
    opened, witness = CaptureLine(cards.open("capture")), CaptureLine(cards.open("capture"))
    witness.start(time.monotonic())
    with alsa_cards.speak(tone(SECRET_HZ, PATIENCE_S)):
        while tone_level_db(heard(witness, 0.5), SECRET_HZ) < -20:
            pass
    while tone_level_db(heard(witness, 0.5), SECRET_HZ) > -60:
        pass
    witness.close()
    opened.start(time.monotonic())
    sound = heard(opened, 0.5)
    opened.close()
    assert tone_level_db(sound, SECRET_HZ) < -60
