"""Clocks that differ, from packets to the card's samples in simulated time: minutes of the bench's half an hour."""

from __future__ import annotations

import statistics
from importlib.resources import files
from pathlib import Path

import pytest

from bench.mouth_to_ear_simulated import drift
from intercom.media.sound.sound_file import load_sound


@pytest.mark.parametrize(("far_ppm", "card_ppm"), [(150, 0), (-150, 0), (50, -50)])
def test_the_delay_neither_grows_nor_shrinks_while_the_clocks_drift(far_ppm: float, card_ppm: float) -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    delays = [delay for _, delay in drift(240, far_ppm, card_ppm, voice) if delay is not None]
    looks = statistics.quantiles(delays[6:], n=20)  # in the half second of a change of speed the ear finds no one delay
    assert looks[-1] <= 60
    # It wanders by the block in whose time a packet comes. Uncorrected it would be 24 ms and more by now.
    assert looks[-1] - looks[0] <= 14
