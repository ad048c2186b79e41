"""Every way in which a device shows that it is lost, and what is only a moment's trouble."""

from __future__ import annotations

import errno

import alsaaudio
import pytest

from intercom.media.cards.pcm_line import PlaybackLine
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE
from tests.media.cards.scripted_pcm import ScriptedPcm, listening


@pytest.mark.parametrize("said", ["No such device [hw:1]", "File descriptor in bad state", "Input/output error"])
def test_an_exception_is_a_loss_with_its_reason(said: str) -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.always = alsaaudio.ALSAAudioError(said)
    with pytest.raises(LineLostError, match=said.split("[", maxsplit=1)[0]):
        line.captured(0.01)


def test_one_overrun_is_counted_and_forgiven() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [-32, 0, BLOCK_SAMPLES, 0]
    assert not len(line.captured(0.01))
    assert not len(line.captured(0.02))
    assert len(line.captured(0.03)) == BLOCK_SAMPLES
    assert line.xruns == 1


def test_overruns_for_ever_are_a_loss() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.always = -32
    with pytest.raises(LineLostError, match="overrun for ever"):
        for n in range(20):
            line.captured(0.01 * n)


@pytest.mark.parametrize("nothing", [0, -errno.EAGAIN])
def test_half_a_second_without_a_frame_is_a_loss(nothing: int) -> None:
    pcm = ScriptedPcm()
    pcm.always = nothing
    line = listening(pcm)
    pcm.answers = [BLOCK_SAMPLES, nothing]
    line.captured(0.01)
    line.captured(0.02)
    for n in range(3, 50):
        line.captured(0.01 * n)
    with pytest.raises(LineLostError, match="no sound"):
        line.captured(0.53)


def test_a_thread_that_slept_does_not_blame_the_device() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [BLOCK_SAMPLES, 0]
    line.captured(0.01)
    assert not len(line.captured(5.0))


def test_a_device_that_was_pulled_out_while_it_rested_is_lost() -> None:
    pcm = ScriptedPcm()
    line = PlaybackLine(pcm)
    line.check()
    pcm.state_answer = 8
    with pytest.raises(LineLostError, match="unplugged"):
        line.check()


def test_a_speaker_whose_clock_stands_still_is_lost() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    while line.is_hungry(0.0):
        line.write(SILENCE, 0.0)
    with pytest.raises(LineLostError, match="stands still"):
        for n in range(60):
            line.is_hungry(0.01 * n)


def test_a_speaker_that_takes_nothing_for_ever_is_lost() -> None:
    pcm = ScriptedPcm()
    line = PlaybackLine(pcm)
    line.start(0.0)
    taken = [line.write(SILENCE, 0.01 * n) for n in range(5)]
    assert not any(taken)
    pcm.avail_answer = 0
    with pytest.raises(LineLostError):
        for n in range(300):
            line.is_hungry(0.01 * n)


@pytest.mark.parametrize("errno", [-19, -5, -77])
def test_a_negative_avail_is_a_loss(errno: int) -> None:
    pcm = ScriptedPcm()
    pcm.avail_answer = errno
    with pytest.raises(LineLostError, match=str(errno)):
        PlaybackLine(pcm).queued_frames()


def test_the_disconnected_state_is_a_loss() -> None:
    pcm = ScriptedPcm()
    pcm.state_answer = 8
    with pytest.raises(LineLostError):
        PlaybackLine(pcm).queued_frames()


@pytest.mark.parametrize("question", ["avail", "state"])
def test_a_question_that_is_refused_is_a_loss(question: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> int:
        raise alsaaudio.ALSAAudioError("No such device")

    line = PlaybackLine(ScriptedPcm())
    monkeypatch.setattr(ScriptedPcm, question, refuse)
    with pytest.raises(LineLostError, match="No such device"):
        line.queued_frames()
