"""Cards that something else chooses."""

from __future__ import annotations

import pytest

from intercom.media.cards import chosen_cards
from intercom.media.cards.card import Pcm
from intercom.media.cards.chosen_cards import Chosen, ChosenCards
from intercom.media.cards.simulated import SimulatedSpeaker
from intercom.media.errors import CardError
from intercom.media.events import Direction

NONE = Chosen(None, "", "plug one in")


def test_without_a_card_nothing_is_opened_and_the_reason_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_cards, "open_pcm", None)
    cards = ChosenCards(lambda direction: NONE)
    with pytest.raises(CardError, match="plug one in"):
        cards.open("playback")
    assert "no sound card yet" in cards.description


def test_the_words_for_a_card_stay_the_same_when_it_comes_back() -> None:
    chosen = Chosen("plughw:CARD=A,DEV=0", "Phone", "the best", 1)
    cards = ChosenCards(lambda direction: chosen)
    before = cards.description
    chosen = Chosen("plughw:CARD=A_1,DEV=0", "Phone", "chosen before", 2)
    assert cards.description == before == "Phone"


def test_an_open_pcm_is_stale_once_another_is_chosen_and_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chosen_cards, "open_pcm", lambda direction, name: SimulatedSpeaker(None))
    now: dict[Direction, Chosen] = {"capture": NONE, "playback": Chosen("a", "A", "", 1)}
    cards = ChosenCards(now.__getitem__)
    cards.open("playback")
    assert not cards.is_stale("playback")
    now["playback"] = NONE
    assert not cards.is_stale("playback")
    now["playback"] = Chosen("a", "A", "", 2)
    assert cards.is_stale("playback")
    assert not cards.is_stale("capture")
    cards.open("playback")
    assert not cards.is_stale("playback")


def test_a_pcm_is_not_stale_while_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = Chosen("a", "A", "", 1)
    cards = ChosenCards(lambda direction: chosen)
    told: list[bool] = []

    def opening(direction: Direction, name: str) -> Pcm:
        told.append(cards.is_stale(direction))
        return SimulatedSpeaker(None)

    monkeypatch.setattr(chosen_cards, "open_pcm", opening)
    cards.open("playback")
    chosen = Chosen("a", "A", "", 2)
    cards.open("playback")
    assert told == [False, False]
