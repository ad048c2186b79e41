"""A sound is played and heard on real PCMs, each at the other's pace."""

from __future__ import annotations

import itertools
import time

import alsaaudio
import pytest

from intercom.media.cards import pcm_loss
from intercom.media.cards.card import Pcm
from intercom.media.errors import CardError
from intercom.media.events import Direction
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE
from intercom.media.sound.levels import Levels
from intercom.media.sound.rehearsal import TRIES, rehearse
from intercom.media.sound.room_check import Findings, examine, probe
from tests.alsa import AlsaCards, cards_named
from tests.media.cards.scripted_pcm import ScriptedPcm

TRIES_S = 120.0
"""Limit of the tries: one takes four seconds, and a machine that stands still meanwhile tears a hole into the sound."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a sound server that a busy machine gives no time for no lost card."""
    for name in ("SILENT_S", "START_SILENT_S"):
        monkeypatch.setattr(pcm_loss, name, TRIES_S)


def test_a_card_with_air_between_is_measured(alsa_cards: AlsaCards) -> None:
    cards = cards_named(alsa_cards.microphone, alsa_cards.speaker)
    give_up = time.monotonic() + TRIES_S
    with alsa_cards.air():
        while not is_this_air(found := examine(probe(-6), rehearse(cards, probe(-6)).heard, Levels(speaker_db=-6))):
            assert time.monotonic() < give_up, found


def is_this_air(found: Findings) -> bool:
    """Whether as much was heard as is played, so much later as the sound server needs."""
    if found.echo_level_db is None or found.delay_ms is None:
        return False
    return -8 < found.echo_level_db < -4 and 30 < found.delay_ms < 500 and found.clipped_percent == 0


def test_a_card_without_air_hears_no_echo(alsa_cards: AlsaCards) -> None:
    cards = cards_named(alsa_cards.microphone, alsa_cards.speaker)
    found = examine(probe(), rehearse(cards, probe()).heard, Levels())
    assert found.echo_level_db is None


class StoppingCards:
    """A card that stops in its first tries."""

    description = "a card that stops"

    def __init__(self, stops: int) -> None:
        self.opened = 0
        self._stops = stops

    def open(self, direction: Direction) -> Pcm:
        pcm = ScriptedPcm()
        pcm.always = BLOCK_SAMPLES
        if direction == "capture":
            self.opened += 1
            if self.opened <= self._stops:
                pcm.answers = [BLOCK_SAMPLES, alsaaudio.ALSAAudioError("Input/output error")]
        return pcm


def test_a_card_that_stops_is_opened_anew_and_heard_to_the_end() -> None:
    cards, turns = StoppingCards(stops=TRIES - 1), itertools.count()
    heard = rehearse(cards, SILENCE, clock=lambda: 0.01 * next(turns), sleep=lambda seconds: None).heard
    assert len(heard) == len(SILENCE)
    assert cards.opened == TRIES


def test_a_card_that_stops_every_time_is_told_in_a_sentence() -> None:
    cards, turns = StoppingCards(stops=TRIES), itertools.count()
    with pytest.raises(CardError, match="the card stopped during each of 3 tests: Input/output error"):
        rehearse(cards, SILENCE, clock=lambda: 0.01 * next(turns), sleep=lambda seconds: None)
