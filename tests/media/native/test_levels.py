"""Energy and peak in C are what NumPy's are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.native import module
from intercom.media.sound.energy import numpy_echo_energies, numpy_energy, numpy_peak
from intercom.media.sound.format import Samples
from tests.media.native.sound import sounds

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native

LENGTHS = st.integers(0, 1000) | st.sampled_from([160, 320, 480, 960])
BLOCK = 160


@given(sound=sounds(LENGTHS))
def test_energy_and_peak_are_what_numpy_finds(sound: Samples) -> None:
    assert _native.energy(sound) == pytest.approx(numpy_energy(sound), rel=1e-5)
    assert _native.peak(sound) == numpy_peak(sound)


@given(
    frames=st.integers(0, 4).flatmap(lambda blocks: st.lists(sounds(st.just(BLOCK * blocks)), min_size=3, max_size=3))
)
def test_the_energies_of_an_echo_are_what_numpy_finds(frames: list[Samples]) -> None:
    found = _native.echo_energies(frames[0], frames[1], frames[2], BLOCK)
    wanted = numpy_echo_energies(frames[0], frames[1], frames[2], BLOCK)
    assert np.allclose(found, wanted, rtol=1e-5)
    assert len(found) == len(wanted) == len(frames[0]) // BLOCK


def test_frames_of_several_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="an array of 320 is wanted, not of 160"):
        _native.echo_energies(np.zeros(320, np.int16), np.zeros(160, np.int16), np.zeros(320, np.int16), BLOCK)
    with pytest.raises(ValueError, match="320 samples are no blocks of 0"):
        _native.echo_energies(*np.zeros((3, 320), np.int16), 0)


def test_each_way_is_the_one_that_the_judge_takes(way: str) -> None:
    from intercom.media.echo import canceller, double_talk, judge

    for found in (judge.echo_energies, double_talk.peak, canceller.energy):
        assert (type(found) is type(_native.energy)) == (way == "native")
