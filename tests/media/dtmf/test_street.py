"""Minutes of what is no key, through the detector of keys; `python -m tests.media.street --hours 10` listens longer."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest

from intercom.media.sound.format import RATE_HZ
from tests.alsa import tone
from tests.media.dtmf.test_in_band import PAUSE, key_tone
from tests.media.street import KINDS, as_telephoned, keys_in, pieces

PIECES = 6
"""Of 20 s each: two minutes of every kind."""


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_a_street_sounds_like_is_a_key(kind: str) -> None:
    assert [name for name, sound in islice(pieces(kind, 1), PIECES) if keys_in(sound)] == []


@pytest.mark.parametrize("off", [0.9925, 1.0075])
def test_a_key_of_a_telephone_that_is_out_of_tune_is_heard(off: float) -> None:
    assert keys_in(np.concatenate([PAUSE, key_tone("5", hz_off=off), PAUSE])) == "5"


@pytest.mark.parametrize("off", [0.965, 0.985, 1.015, 1.035])
def test_two_tones_beside_a_key_s_are_none(off: float) -> None:
    assert keys_in(key_tone("5", 1.0, hz_off=off)) == ""


def test_two_notes_that_die_away_are_no_key() -> None:
    away = np.exp(-np.arange(RATE_HZ) / RATE_HZ * 12)
    assert keys_in((key_tone("5", 1.0) * away).astype(np.int16)) == ""


def test_two_horns_at_a_key_s_own_frequencies_are_none() -> None:
    horns = key_tone("5", 1.0) + tone(2 * 770, 1.0, -23.0) + tone(2 * 1336, 1.0, -23.0)
    assert keys_in(horns) == ""


def test_a_key_that_loses_a_packet_is_one_key() -> None:
    key = key_tone("5", 0.4)
    key[RATE_HZ // 5 : RATE_HZ // 5 + RATE_HZ // 50] = 0
    assert keys_in(np.concatenate([PAUSE, key, PAUSE])) == "5"


def test_a_key_over_a_noisy_line_is_heard() -> None:
    noise = np.random.default_rng(1).normal(0, 300, len(key_tone("5")))
    assert keys_in(as_telephoned(np.concatenate([PAUSE, (key_tone("5") + noise).astype(np.int16), PAUSE]))) == "5"


@pytest.mark.parametrize("key", "1590D")
def test_a_key_that_the_telephone_network_carries_is_heard(key: str) -> None:
    assert keys_in(as_telephoned(np.concatenate([PAUSE, key_tone(key), PAUSE]))) == key
