"""Sound at another speed in C is what NumPy's is, to one bit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.native import module
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.varispeed import PHASES, REFERENCE_PHASES, REFERENCE_TAPS, TAPS, Varispeed
from tests.media.native.sound import sounds

LATENCY = TAPS // 2
needs_compiled = pytest.mark.skipif(bool(module.why_not()), reason=module.why_not())
FRAMES = st.sampled_from([960, 960, 960, 1920, 120, 5760, 3, 1])
SPEEDS = st.sampled_from([1.0, 1.02, 0.98, 1.0005]) | st.floats(0.98, 1.02)


@needs_compiled
@pytest.mark.parametrize(("taps", "phases"), [(TAPS, PHASES), (REFERENCE_TAPS, REFERENCE_PHASES)])
@given(frames=st.lists(st.tuples(sounds(FRAMES), SPEEDS), min_size=1, max_size=8))
def test_it_gives_what_numpy_gives_whatever_comes(taps: int, phases: int, frames: list[tuple[Samples, float]]) -> None:
    compiled = Varispeed(taps, phases)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "is_there", lambda: False)
        numpy = Varispeed(taps, phases)
    assert compiled._at.__qualname__ != numpy._at.__qualname__
    for sound, speed in frames:
        one, other = compiled.run(sound, speed), numpy.run(sound, speed)
        assert (one.dtype, len(one)) == (other.dtype, len(other))
        assert np.abs(one.astype(int) - other).max(initial=0) <= 1


def test_a_tone_is_played_a_fiftieth_higher_and_then_as_it_is(way: str) -> None:
    tone = (10_000 * np.sin(2 * np.pi * 1000 * np.arange(RATE_HZ) / RATE_HZ)).astype(np.int16)
    varispeed = Varispeed()
    faster = np.concatenate([varispeed.run(frame, 1.02) for frame in np.split(tone, 50)])
    assert abs(len(faster) - RATE_HZ / 1.02) <= 1, way
    crossings = np.flatnonzero((faster[LATENCY:-1] < 0) & (faster[LATENCY + 1 :] >= 0))
    assert abs(len(crossings) / len(faster) * RATE_HZ - 1020) < 2
    varispeed.run(tone[:960], 1.0)
    assert np.array_equal(varispeed.run(tone[960:1920], 1.0), tone[960 - LATENCY : 1920 - LATENCY])
