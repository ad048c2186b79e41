"""What is sent while both speak is the same by the compiled passage as by Python's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.media.echo.passage import CompiledPassage, PythonPassage, open_passage
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.native import module
from intercom.media.sound.format import ratio
from tests.media.native.sound import sounds

if module.why_not():
    pytest.skip(module.why_not(), allow_module_level=True)

from intercom.media.native import _native

ROUNDING = 1
"""A processor that multiplies and adds in one step rounds once where NumPy does twice."""


class Both:
    """Both ways, which hear the same; what they send is held against each other."""

    def __init__(self) -> None:
        self._ways = CompiledPassage(), PythonPassage()
        self._share = 0.0
        self.visitors = 0
        self.turned_down = 0

    def hear(self, near: Frame, left: Frame, cleaned: Frame, spoken: Frame) -> None:
        (compiled, share), (written, wanted) = (
            way.sent(near, left, cleaned, spoken, self._share) for way in self._ways
        )
        assert np.abs(compiled.astype(int) - written).max(initial=0) <= ROUNDING
        assert share == wanted
        self.turned_down += not share and not self._share and not np.array_equal(written, cleaned)
        self._share = share
        self.visitors += bool(share)

    def rest(self) -> None:
        for way in self._ways:
            way.rest()

    def forget_the_background(self) -> None:
        for way in self._ways:
            way.forget_the_background()


def noise(chance: np.random.Generator, blocks: int, at_db: float) -> Frame:
    wave = chance.uniform(-1, 1, blocks * CANCELLER_SAMPLES) * 3**0.5 * 32767 * ratio(at_db)
    return wave.clip(-32768, 32767).astype(np.int16)


@given(st.data())
def test_any_frames_are_sent_alike(data: st.DataObject) -> None:
    both = Both()
    for _ in range(data.draw(st.integers(1, 4))):
        length = st.just(CANCELLER_SAMPLES * data.draw(st.integers(0, 3)))
        near, left, cleaned, spoken = data.draw(st.tuples(*[sounds(length)] * 4))
        both.hear(near, left, cleaned, spoken)


@pytest.mark.parametrize("echo_db", [-8.0, -25.0, -45.0])
def test_a_minute_of_echo_visitors_and_pauses_is_sent_alike(echo_db: float) -> None:
    chance, both = np.random.default_rng(7), Both()
    for turn in range(3000):
        speaks = chance.random() < 0.02 * (turn % 1000 > 700)
        if turn % 900 == 899:
            both.rest()
        elif turn % 400 == 399:
            both.forget_the_background()
        echo = noise(chance, 2, echo_db if turn % 300 < 250 else -70.0)
        left = noise(chance, 2, echo_db - 22 + chance.normal(0, 3) + 20 * speaks)
        near = (echo.astype(int) + left).clip(-32768, 32767).astype(np.int16)
        cleaned = noise(chance, 2, -28.0 if speaks else chance.uniform(-75, -50))
        both.hear(near, left, cleaned, left // 2)
    assert both.turned_down > 100
    assert both.visitors > 20 or echo_db < -40


def test_each_way_opens_its_own(way: str) -> None:
    assert isinstance(open_passage(), CompiledPassage if way == "native" else PythonPassage)


def test_frames_that_do_not_fit_are_refused_with_a_sentence() -> None:
    send, frames = _native.Passage().send, np.zeros((5, 320), np.int16)
    with pytest.raises(ValueError, match="an array of 320 is wanted, not of 160"):
        send(frames[0], frames[1][:160], frames[2], frames[3], 0.0, frames[4])
    with pytest.raises(ValueError, match="a frame of 100 is no multiple of 160"):
        send(*frames[:4, :100], 0.0, frames[4][:100])
    with pytest.raises(ValueError, match="a share is from 0 to 1"):
        send(*frames[:4], float("nan"), frames[4])
