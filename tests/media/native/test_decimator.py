"""The decimator in C gives what NumPy's gives, to one bit, and takes nothing that it cannot read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.native import module
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.resample import Decimator
from tests.media.native.sound import sounds

needs_compiled = pytest.mark.skipif(bool(module.why_not()), reason=module.why_not())
BLOCKS = st.sampled_from([480, 960, 960, 1920, 6, 12, 966, 5760])


def decimators(factor: int) -> tuple[Decimator, Decimator]:
    """The compiled one and NumPy's."""
    compiled = Decimator(factor)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "is_there", lambda: False)
        return compiled, Decimator(factor)


@needs_compiled
@given(factor=st.sampled_from([1, 2, 3, 6]), blocks=st.lists(sounds(BLOCKS), min_size=1, max_size=6))
def test_it_gives_what_numpy_gives_whatever_comes(factor: int, blocks: list[Samples]) -> None:
    compiled, numpy = decimators(factor)
    assert compiled.run.__qualname__ != numpy.run.__qualname__
    for block in blocks:
        one, other = compiled.run(block), numpy.run(block)
        assert one.dtype == other.dtype
        assert np.abs(one.astype(int) - other).max() <= 1


@needs_compiled
def test_it_forgets_what_came_before_as_numpy_does() -> None:
    compiled, numpy = decimators(3)
    loud = np.full(480, 32767, np.int16)
    for decimator in compiled, numpy:
        decimator.run(loud)
        decimator.clear()
        assert not decimator.run(np.zeros(480, np.int16)).any()


def test_a_tone_passes_at_a_third_of_the_rate(way: str) -> None:
    at = np.arange(RATE_HZ)
    tone = (10_000 * np.sin(2 * np.pi * 1000 * at / RATE_HZ)).astype(np.int16)
    decimator = Decimator(3)
    heard = np.concatenate([decimator.run(block) for block in np.split(tone, 50)])
    spectrum = np.abs(np.fft.rfft(heard))
    assert int(spectrum.argmax()) == 1000, way
    assert abs(int(heard[1000:].max()) - 10_000) < 100
