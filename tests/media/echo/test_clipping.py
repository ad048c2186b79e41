"""A box so loud that its microphone clips: what was cut off is not sent in place of the visitor."""

from __future__ import annotations

import numpy as np

from intercom.media.echo.double_talk import CLIPPED, TalkThrough
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame, WebRtcBackend


class Deaf:
    """A filter that expects nothing of the far end, and so leaves all that the microphone hears."""

    def process(self, near: Frame, far: Frame) -> Frame:
        return near

    def reset(self) -> None:
        """Nothing is learnt."""


def test_nothing_is_sent_of_a_sample_that_the_microphone_clipped() -> None:
    chance = np.random.default_rng(1)
    near = (chance.normal(0, 20_000, 2 * CANCELLER_SAMPLES)).clip(-32_768, 32_767).astype(np.int16)
    left = TalkThrough(WebRtcBackend(), Deaf())._left_of(near, near)
    clipped = np.abs(near.astype(int)) >= CLIPPED
    assert 0 < clipped.sum() < len(near)
    assert not left[clipped].any()
    assert np.array_equal(left[~clipped], near[~clipped])
