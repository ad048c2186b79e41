"""The engine hands over two blocks at once: they are cleaned as if one came after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intercom.media.echo.canceller import FACTOR
from intercom.media.echo.double_talk import TalkThrough
from intercom.media.echo.judge import Judge
from intercom.media.echo.linear import CompiledFilter, LinearFilter, SpeexFilter, open_linear_filter
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame, WebRtcBackend
from intercom.media.native import module
from intercom.media.sound.resample import Decimator
from tests.media.echo.test_canceller import room, voice

SECONDS, VISITOR_FROM = 8, 5 * 16_000


def both_speak() -> tuple[Frame, Frame]:
    """The microphone and the far end at the canceller's rate: the house alone for five seconds, then both."""
    far = voice(SECONDS)
    near, far = Decimator(FACTOR).run(room(far)), Decimator(FACTOR).run(far)
    visitor = np.roll(near, 5000) // 2
    visitor[:VISITOR_FROM] = 0
    return (near.astype(np.int32) + visitor).clip(-32768, 32767).astype(np.int16), far


class Recorded:
    """WebRTC's canceller as it once answered: it draws its own noise, and no two runs are alike."""

    def __init__(self, cleaned: Frame) -> None:
        self._cleaned = cleaned

    def process(self, near: Frame, far: Frame) -> Frame:
        cleaned, self._cleaned = self._cleaned[: len(near)], self._cleaned[len(near) :]
        return cleaned

    def reset(self) -> None:
        """Nothing is learnt."""


def test_a_visitor_is_heard_alike_whether_one_block_is_cleaned_at_a_time_or_two() -> None:
    near, far = both_speak()
    cleaned = WebRtcBackend().process(near, far)

    def through(samples: int) -> Frame:
        recorded: Any = Recorded(cleaned)
        canceller = TalkThrough(recorded, open_linear_filter())
        blocks = range(0, len(near), samples)
        return np.concatenate([canceller.process(near[at : at + samples], far[at : at + samples]) for at in blocks])

    sent = through(2 * CANCELLER_SAMPLES)
    assert np.array_equal(sent, through(CANCELLER_SAMPLES))
    assert not np.array_equal(sent[VISITOR_FROM:], cleaned[VISITOR_FROM:]), "the visitor is passed"


def test_the_judge_finds_in_each_of_two_blocks_what_it_finds_in_one() -> None:
    chance = np.random.default_rng(2)
    one, other = Judge(), Judge()
    first, second = slice(CANCELLER_SAMPLES), slice(CANCELLER_SAMPLES, None)
    for _ in range(300):
        echo, left, cleaned = (
            chance.normal(0, loud, 2 * CANCELLER_SAMPLES) * 10 ** -chance.uniform(0, 2) for loud in (9000, 3000, 1000)
        )
        near, left, cleaned = (sound.clip(-32767, 32767).astype(np.int16) for sound in (echo + left, left, cleaned))
        apart = [heard for block in (first, second) for heard in one.hears(near[block], left[block], cleaned[block])]
        assert list(other.hears(near, left, cleaned)) == apart


def test_the_judge_finds_the_same_visitor_by_the_compiled_filter_and_by_libspeexdsp_s() -> None:
    if module.why_not():
        pytest.skip(module.why_not())
    near, far = both_speak()
    cleaned = WebRtcBackend().process(near, far)
    linear: LinearFilter
    heard = []
    for linear in CompiledFilter(), SpeexFilter():
        blocks = Judge().hears(near, linear.process(near, far), cleaned)
        heard.append([block.visitor for block in blocks])
    assert heard[0] == heard[1]
    assert any(heard[0])
