"""A sound is played and heard on real PCMs, each at the other's pace."""

from __future__ import annotations

from intercom.media.sound.levels import Levels
from intercom.media.sound.rehearsal import rehearse
from intercom.media.sound.room_check import examine, probe
from tests.alsa import AlsaCards, cards_named


def test_a_card_with_air_between_is_measured(alsa_cards: AlsaCards) -> None:
    cards = cards_named(alsa_cards.microphone, alsa_cards.speaker)
    with alsa_cards.air():
        found = examine(probe(-6), rehearse(cards, probe(-6)), Levels(speaker_db=-6))
    assert found.echo_level_db is not None
    assert found.delay_ms is not None
    assert -8 < found.echo_level_db < -4
    assert 30 < found.delay_ms < 500
    assert found.clipped_percent == 0


def test_a_card_without_air_hears_no_echo(alsa_cards: AlsaCards) -> None:
    cards = cards_named(alsa_cards.microphone, alsa_cards.speaker)
    found = examine(probe(), rehearse(cards, probe()), Levels())
    assert found.echo_level_db is None
