"""Sound for the tests of what is compiled: any, and the extremes."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from intercom.media.sound.format import Samples


def sounds(lengths: st.SearchStrategy[int]) -> st.SearchStrategy[Samples]:
    """Blocks of these lengths: noise of any level, full scale by turns, steps from end to end."""
    return st.builds(_sound, lengths, st.integers(0, 2**32 - 1), st.sampled_from([0, 1, 300, 32767]), st.booleans())


def _sound(length: int, seed: int, level: int, extreme: bool) -> Samples:
    random = np.random.default_rng(seed)
    if extreme:
        return random.choice(np.array([-32768, 32767], np.int16), length)
    return random.integers(-level - 1, level, length, np.int16, endpoint=True)
