"""Mixers that report nonsense: whatever they say, the door is heard, and not louder than was asked."""

from __future__ import annotations

import math
from contextlib import nullcontext
from dataclasses import dataclass, field

import alsaaudio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.cards import alsa_mixer
from intercom.media.cards.hardware_mixer import COARSEST_DB, FURTHEST_DB, HardwareMixer, open_mixer
from intercom.media.events import Direction
from intercom.media.sound.format import ratio
from intercom.media.sound.levels import HIGHEST_DB, LOWEST_DB
from tests.alsa import cards_named

MUTE = -9_999_999
"""SND_CTL_TLV_DB_GAIN_MUTE: what ALSA reads at a step that mutes."""


@dataclass
class OddCard:
    """A card with one control: it says `low` to `high`, has `steps`, and reads back what `reads` makes of a step."""

    low: int
    high: int
    steps: list[int]
    """What each step does, in hundredths of a dB; MUTE is silence."""
    reads: dict[int, int] = field(default_factory=dict)
    """Step to what is read back, where that is not what it does."""
    name: str = "Speaker"
    percent: int = 40
    at: int = 0
    is_read: bool = True

    @property
    def does(self) -> int:
        """What the control does now, in hundredths of a dB."""
        return self.steps[self.at]

    def has_volume(self, direction: Direction) -> bool:
        return True

    def range_db(self, direction: Direction) -> tuple[float, float]:
        return self.low / 100, self.high / 100

    def set_db(self, direction: Direction, gain_db: float) -> float | None:
        # As alsa-lib: it goes by the range that the driver gives, evenly.
        share = (min(max(gain_db * 100, self.low), self.high) - self.low) / max(1, self.high - self.low)
        self.at = round(min(max(share, 0.0), 1.0) * (len(self.steps) - 1))  # its range may be upside down
        return self.reads.get(self.at, self.does) / 100 if self.is_read else None

    def is_at_nothing(self, direction: Direction) -> bool:
        return self.percent == 0

    def turn_up(self, direction: Direction) -> None:
        self.percent = 100


class Refusing(OddCard):
    """One that is listed, and refuses whatever it is asked."""

    def has_volume(self, direction: Direction) -> bool:
        raise alsaaudio.ALSAAudioError("Invalid argument [Speaker,hw:Odd]")


def mixer_of(*cards: OddCard, monkeypatch: pytest.MonkeyPatch) -> HardwareMixer:
    monkeypatch.setattr(alsa_mixer, "opened", lambda device: nullcontext([*cards, *cards]))
    return open_mixer(cards_named("hw:Odd", "hw:Odd"))


def muting_lowest_step() -> OddCard:
    return OddCard(-2837, 0, [MUTE, *range(-2737, 1, 100), 0])


def test_a_lowest_step_that_mutes_is_not_taken_for_a_soft_one(monkeypatch: pytest.MonkeyPatch) -> None:
    card = muting_lowest_step()
    left_db = mixer_of(card, monkeypatch=monkeypatch).set_db("playback", -30.0)
    assert card.does != MUTE
    assert left_db + card.does / 100 == pytest.approx(-30.0)


class Tabled(OddCard):
    """One whose driver gives a table: a level is the step below it, which mutes under the softest."""

    def set_db(self, direction: Direction, gain_db: float) -> float | None:
        self.at = max(n for n, does in enumerate(self.steps) if does <= max(round(gain_db * 100), MUTE))
        return self.does / 100


@pytest.mark.parametrize("gain_db", [-6.4, -31.0, -60.0])
def test_a_range_that_begins_with_the_muting_step_is_used_above_it(
    monkeypatch: pytest.MonkeyPatch, gain_db: float
) -> None:
    card = Tabled(MUTE, 0, [MUTE, *range(-3100, 1, 100)])
    left_db = mixer_of(card, monkeypatch=monkeypatch).set_db("playback", gain_db)
    assert left_db + card.does / 100 == pytest.approx(gain_db)
    assert abs(left_db) < 1 or gain_db < -31


def test_software_takes_over_from_a_control_that_reads_mute_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    card = OddCard(-2837, 0, list(range(-2837, 1, 100)), reads=dict.fromkeys(range(30), MUTE))
    assert mixer_of(card, monkeypatch=monkeypatch).set_db("playback", -12.0) == -12.0
    assert card.does == card.steps[-1]


def test_a_control_that_is_silent_below_95_percent_stays_above(monkeypatch: pytest.MonkeyPatch) -> None:
    card = OddCard(-12800, 0, [*[MUTE] * 95, 0, 0, 0, 0, 0, 0], reads={n: -12800 + 128 * n for n in range(101)})
    assert mixer_of(card, monkeypatch=monkeypatch).set_db("playback", -30.0) == -30.0
    assert card.does == 0


@pytest.mark.parametrize("name", ["Speaker ", " Speaker", "SPEAKER", "Speaker\t"])
def test_a_control_is_found_whatever_blanks_its_descriptor_has(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    card = OddCard(-3700, 0, list(range(-3700, 1, 100)), name=name)
    assert mixer_of(card, monkeypatch=monkeypatch).set_db("playback", -6.0) == 0
    assert card.does == -600


@pytest.mark.parametrize(("stands_at", "left_at"), [(0, 100), (40, 40)])
def test_a_control_without_decibels_is_turned_up_only_when_it_is_silent(
    monkeypatch: pytest.MonkeyPatch, stands_at: int, left_at: int
) -> None:
    card = OddCard(0, 0, [0], percent=stands_at)
    assert mixer_of(card, monkeypatch=monkeypatch).set_db("playback", -6.0) == -6.0
    assert card.percent == left_at


def test_a_card_whose_loudest_is_soft_is_not_amplified_beyond_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    card = OddCard(-4000, -2000, list(range(-4000, -1999, 100)))
    assert mixer_of(card, monkeypatch=monkeypatch).set_db("playback", 0.0) == COARSEST_DB


def test_a_control_that_refuses_leaves_its_work_to_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    refusing = Refusing(-3700, 0, [0])
    card = OddCard(-3700, 0, list(range(-3700, 1, 100)), name="PCM")
    assert mixer_of(refusing, card, monkeypatch=monkeypatch).set_db("playback", -6.0) == 0
    assert card.does == -600


ends = st.one_of(st.integers(-13_000, 13_000), st.sampled_from([MUTE, 9_999_999, -(2**31), 2**31 - 1, 0]))


@st.composite
def odd_cards(draw: st.DrawFn) -> OddCard:
    name = draw(st.sampled_from(["Speaker", "Mic"]))
    low, high = draw(ends), draw(ends)
    count = draw(st.integers(1, 60))
    steps = [low + (high - low) * n // max(1, count - 1) for n in range(count)]
    if count > 1 and draw(st.booleans()):
        steps[0] = MUTE
    nonsense = st.dictionaries(st.integers(0, count - 1), ends, max_size=count)
    return OddCard(low, high, steps, reads=draw(nonsense), name=name, at=count - 1, is_read=draw(st.booleans()))


gains = st.floats(LOWEST_DB, HIGHEST_DB)
directions: st.SearchStrategy[Direction] = st.sampled_from(["playback", "capture"])


@given(odd_cards(), directions, gains)
def test_whatever_a_mixer_reports_software_s_share_is_a_level(
    card: OddCard, direction: Direction, gain_db: float
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        left_db = mixer_of(card, monkeypatch=patch).set_db(direction, gain_db)
    assert math.isfinite(ratio(left_db))
    assert left_db <= max(gain_db, 0.0) + COARSEST_DB
    assert left_db >= gain_db - FURTHEST_DB


@given(st.integers(-6000, -1), st.integers(1, 60), gains)
def test_a_mixer_that_mutes_at_its_lowest_step_is_heard_at_every_level(low: int, count: int, gain_db: float) -> None:
    card = OddCard(low, 0, [MUTE, *[low + (0 - low) * n // count for n in range(1, count + 1)]])
    with pytest.MonkeyPatch.context() as patch:
        left_db = mixer_of(card, monkeypatch=patch).set_db("playback", gain_db)
    assert card.does != MUTE
    assert left_db + card.does / 100 == pytest.approx(gain_db, abs=0.01)
