"""While the house is silent the canceller rests: nobody hears when it begins, and the first echo finds it awake."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from intercom.media.echo import double_talk
from intercom.media.echo.canceller import EchoCanceller, open_canceller
from intercom.media.echo.double_talk import TalkThrough
from intercom.media.echo.webrtc import CANCELLER_SAMPLES, Frame
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples, level_db
from tests.media.echo.test_canceller import room, through, voice

SPOKEN_S, SILENT_S = 6, 5
AGAIN = slice((SPOKEN_S + SILENT_S) * RATE_HZ, (SPOKEN_S + SILENT_S + 1) * RATE_HZ)
"""The first second in which the house speaks again."""


def opened() -> EchoCanceller:
    return cast(EchoCanceller, open_canceller())


def a_house_that_pauses() -> Samples:
    far = voice(SPOKEN_S + SILENT_S + 3)
    far[SPOKEN_S * RATE_HZ : (SPOKEN_S + SILENT_S) * RATE_HZ] = 0
    return far


def test_the_first_echo_after_a_rest_is_cancelled_as_if_there_had_been_none(monkeypatch: pytest.MonkeyPatch) -> None:
    far = a_house_that_pauses()
    microphone = room(far)
    rested = through(opened(), far, microphone)
    monkeypatch.setattr(double_talk, "REST_BLOCKS", 10**6)
    awake = through(opened(), far, microphone)
    assert level_db(rested[AGAIN]) < level_db(microphone[AGAIN]) - 30
    assert level_db(rested[AGAIN]) < level_db(awake[AGAIN]) + 3


def test_a_visitor_who_speaks_on_does_not_hear_when_it_rests() -> None:
    far = a_house_that_pauses()
    visitor = np.roll(voice(len(far) / RATE_HZ), RATE_HZ // 3) // 2
    visitor[: SPOKEN_S * RATE_HZ] = 0
    sent = through(opened(), far, room(far) + visitor)
    silent = slice(SPOKEN_S * RATE_HZ + BLOCK_SAMPLES, (SPOKEN_S + SILENT_S) * RATE_HZ)
    late = 31 * 3 + 3 * 128 + 3 * CANCELLER_SAMPLES // 10  # of the filters, of WebRTC's canceller and suppression
    likeness = [
        np.corrcoef(sent[silent], np.roll(visitor, lag)[silent])[0, 1] for lag in range(late - 700, late + 700, 3)
    ]
    assert max(likeness) > 0.9
    steps = np.abs(np.diff(sent[silent].astype(int))).max()
    assert steps <= np.abs(np.diff(visitor[silent].astype(int))).max() * 1.5, "it clicks"


def test_the_first_echo_after_a_rest_is_not_taken_for_the_visitor_who_spoke_as_it_began() -> None:
    chance = np.random.default_rng(1)
    far, spoken = (
        chance.normal(0, loud, (200, CANCELLER_SAMPLES)).clip(-32767, 32767).astype(np.int16) for loud in (10_000, 3000)
    )
    echo, silence = far // 2, np.zeros(CANCELLER_SAMPLES, np.int16)
    webrtc, linear = Scripted(), Scripted()
    canceller = TalkThrough(webrtc, linear)  # type: ignore[arg-type]  # their answers are written

    def echo_alone(block: int) -> Frame:
        webrtc.answer, linear.answer = silence, echo[block] // 50
        return canceller.process(echo[block], far[block])

    for block in range(200):
        echo_alone(block)
    for block in range(200):
        webrtc.answer = linear.answer = spoken[block]
        heard = spoken[block] + (echo[block] if block < 20 else 0)
        canceller.process(heard, far[block] if block < 20 else silence)
    echo_alone(0)  # it fades
    assert level_db(echo_alone(1)) < -80


class Scripted:
    """A filter whose answer is written."""

    answer: Frame

    def process(self, near: Frame, far: Frame) -> Frame:
        return self.answer

    def reset(self) -> None:
        """Nothing is learnt."""


class Counted:
    """WebRTC's canceller, and how often it runs."""

    def __init__(self) -> None:
        self.runs = 0

    def process(self, near: Frame, far: Frame) -> Frame:
        self.runs += 1
        return near

    def reset(self) -> None:
        """Nothing is learnt."""


def test_neither_canceller_runs_while_the_house_is_silent_and_both_do_in_the_block_in_which_it_speaks() -> None:
    webrtc, linear = Counted(), Counted()
    canceller = TalkThrough(webrtc, linear)  # type: ignore[arg-type]  # they count
    near, silence = np.full(CANCELLER_SAMPLES, 300, np.int16), np.zeros(CANCELLER_SAMPLES, np.int16)
    for _ in range(500):
        canceller.process(near, silence)
    assert webrtc.runs == linear.runs + 1 == double_talk.REST_BLOCKS + 1
    canceller.process(near, near)
    assert webrtc.runs == linear.runs + 1 == double_talk.REST_BLOCKS + 2
