"""A sound is played and heard on real PCMs, each at the other's pace."""

from __future__ import annotations

import time

from intercom.media.sound.levels import Levels
from intercom.media.sound.rehearsal import rehearse
from intercom.media.sound.room_check import Findings, examine, probe
from tests.alsa import AlsaCards, cards_named

TRIES_S = 120.0
"""Limit of the tries: one takes four seconds, and a machine that stands still meanwhile tears a hole into the sound."""


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
