"""A card that comes late."""

from __future__ import annotations

import pytest

from intercom.config import AudioConfig
from intercom.media import card, later_card
from intercom.media.errors import CardError
from intercom.media.later_card import LaterCards
from tests.alsa import MICROPHONE, SPEAKER, AlsaCards


def test_without_a_card_opening_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(card, "list_cards", list)
    with pytest.raises(CardError, match="plug one in"):
        LaterCards(AudioConfig()).open("playback")


def test_a_card_that_comes_is_taken_up(monkeypatch: pytest.MonkeyPatch, alsa_cards: AlsaCards) -> None:
    cards = LaterCards(AudioConfig())
    monkeypatch.setattr(card, "list_cards", list)
    with pytest.raises(CardError):
        cards.open("playback")
    here = card.AlsaCards(MICROPHONE, SPEAKER, "the one that came")
    monkeypatch.setattr(later_card, "choose_cards", lambda config, none: here)
    cards.open("playback").close()
    assert cards.description == "the one that came"


def test_a_card_that_is_gone_is_not_insisted_on(monkeypatch: pytest.MonkeyPatch, alsa_cards: AlsaCards) -> None:
    gone = card.AlsaCards("plughw:CARD=Gone,DEV=0", "plughw:CARD=Gone,DEV=0", "the one that went")
    other = card.AlsaCards(MICROPHONE, SPEAKER, "another one")
    choices = iter([gone, other])
    monkeypatch.setattr(later_card, "choose_cards", lambda config, none: next(choices))
    cards = LaterCards(AudioConfig())
    with pytest.raises(CardError):
        cards.open("playback")
    cards.open("playback").close()
    assert cards.description == "another one"
