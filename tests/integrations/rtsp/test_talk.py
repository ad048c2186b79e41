"""The loudspeaker: one talker at a time, and the next one when the first has let go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from intercom.integrations.rtsp.rtp import Received
from intercom.integrations.rtsp.talk import SILENT_S, Loudspeaker, Talker
from intercom.media.sound.beside import BesideCall


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


PACKET = Received(8, 1, 160, 7, b"\xd5" * 160)


@pytest.fixture
def sound() -> BesideCall:
    return BesideCall(lambda: None)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def talkers(sound: BesideCall, clock: Clock) -> tuple[Talker, Talker]:
    speaker = Loudspeaker(sound)
    return Talker(speaker, "pcma", 8, "one", clock=clock), Talker(speaker, "pcma", 8, "two", clock=clock)


def test_a_talker_has_the_loudspeaker_from_their_first_word(talkers: tuple[Talker, Talker], sound: BesideCall) -> None:
    talkers[0].take(PACKET)
    assert sound.voice is talkers[0].playout


def test_nobody_interrupts_a_talker(talkers: tuple[Talker, Talker], sound: BesideCall) -> None:
    talkers[0].take(PACKET)
    talkers[1].take(PACKET)
    assert sound.voice is talkers[0].playout
    assert not talkers[1].talks


def test_the_next_one_talks_when_the_first_is_silent(
    talkers: tuple[Talker, Talker], sound: BesideCall, clock: Clock
) -> None:
    talkers[0].take(PACKET)
    clock.now += SILENT_S
    talkers[1].take(PACKET)
    assert sound.voice is talkers[1].playout
    assert not talkers[0].talks


def test_the_loudspeaker_rests_after_a_silence(talkers: tuple[Talker, Talker], sound: BesideCall, clock: Clock) -> None:
    talkers[0].take(PACKET)
    clock.now += SILENT_S
    talkers[0].tick()
    assert sound.voice is None


def test_sound_of_another_codec_is_not_played(talkers: tuple[Talker, Talker], sound: BesideCall) -> None:
    talkers[0].take(replace(PACKET, payload_type=0))
    assert sound.voice is None
