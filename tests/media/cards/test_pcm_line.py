"""Every way in which a device shows that it is lost, and what is only a moment's trouble."""

from __future__ import annotations

import errno
from typing import Any

import alsaaudio
import pytest

from intercom.media.cards.pcm_line import TARGET_FRAMES, CaptureLine, LineLostError, PlaybackLine
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE


class ScriptedPcm:
    """A PCM at the edge of physics: it answers as it is told to."""

    def __init__(self, buffer_size: int = 4800) -> None:
        self.answers: list[int | Exception] = []
        self.always: int | Exception = 0
        self.queued = 0
        self.buffer_size = buffer_size
        self.avail_answer: int | None = None
        self.state_answer: int = alsaaudio.PCM_STATE_RUNNING

    def _answer(self) -> int:
        answer = self.answers.pop(0) if self.answers else self.always
        if isinstance(answer, Exception):
            raise answer
        return answer

    def read(self) -> tuple[int, bytes]:
        frames = self._answer()
        return frames, bytes(2 * max(0, frames))

    def write(self, data: bytes, /) -> int:
        frames = self._answer()
        if not data:
            return 0
        self.queued += max(0, frames)
        return frames

    def avail(self) -> int:
        return self.buffer_size - self.queued if self.avail_answer is None else self.avail_answer

    def state(self) -> int:
        return self.state_answer

    def info(self) -> dict[str, Any]:
        return {"buffer_size": self.buffer_size}

    def drop(self) -> int:
        return 0

    def close(self) -> None:
        return


def listening(pcm: ScriptedPcm) -> CaptureLine:
    line = CaptureLine(pcm)
    line.start(0.0)
    return line


def test_partial_reads_are_joined_into_blocks() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [200, 280 + 480, 0]
    assert list(line.blocks(0.01)) == []
    assert len(list(line.blocks(0.02))) == 2


@pytest.mark.parametrize("said", ["No such device [hw:1]", "File descriptor in bad state", "Input/output error"])
def test_an_exception_is_a_loss_with_its_reason(said: str) -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.always = alsaaudio.ALSAAudioError(said)
    with pytest.raises(LineLostError, match=said.split("[", maxsplit=1)[0]):
        list(line.blocks(0.01))


def test_one_overrun_is_counted_and_forgiven() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [-32, 0, BLOCK_SAMPLES, 0]
    assert list(line.blocks(0.01)) == []
    assert list(line.blocks(0.02)) == []
    assert len(list(line.blocks(0.03))) == 1
    assert line.xruns == 1


def test_overruns_for_ever_are_a_loss() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.always = -32
    with pytest.raises(LineLostError, match="overrun for ever"):
        for n in range(20):
            list(line.blocks(0.01 * n))


@pytest.mark.parametrize("nothing", [0, -errno.EAGAIN])
def test_half_a_second_without_a_frame_is_a_loss(nothing: int) -> None:
    pcm = ScriptedPcm()
    pcm.always = nothing
    line = listening(pcm)
    pcm.answers = [BLOCK_SAMPLES, nothing]
    list(line.blocks(0.01))
    list(line.blocks(0.02))
    for n in range(3, 50):
        list(line.blocks(0.01 * n))
    with pytest.raises(LineLostError, match="no sound"):
        list(line.blocks(0.53))


def test_a_thread_that_slept_does_not_blame_the_device() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [BLOCK_SAMPLES, 0]
    list(line.blocks(0.01))
    assert list(line.blocks(5.0)) == []


def test_the_speaker_is_fed_to_its_target_and_no_further() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    while line.is_hungry(0.0):
        line.write(SILENCE, 0.0)
    assert TARGET_FRAMES - BLOCK_SAMPLES < pcm.queued <= TARGET_FRAMES


def test_a_dry_speaker_is_kept_fuller_from_then_on() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    pcm.answers = [-32]
    assert line.write(SILENCE, 0.0)
    while line.is_hungry(0.0):
        line.write(SILENCE, 0.0)
    assert pcm.queued > TARGET_FRAMES
    assert line.xruns == 1


def depth_ms(line: PlaybackLine, pcm: ScriptedPcm, now: float) -> int:
    """What is queued once the line is content; the speaker then plays all but the last of it."""
    while line.is_hungry(now):
        line.write(SILENCE, now)
    depth, pcm.queued = pcm.queued, 0
    return depth // 48


def dry(line: PlaybackLine, pcm: ScriptedPcm, now: float) -> None:
    pcm.answers = [-32]
    line.write(SILENCE, now)
    pcm.queued = 0


def test_a_machine_that_stumbled_once_has_its_short_delay_back_after_five_seconds() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    usual_ms = depth_ms(line, pcm, 0.0)
    dry(line, pcm, 0.1)
    assert depth_ms(line, pcm, 5.0) > usual_ms
    line.write(SILENCE, 5.2)
    pcm.queued = 0
    assert depth_ms(line, pcm, 5.3) == usual_ms


def test_a_machine_that_needs_a_longer_delay_is_tried_ever_more_seldom() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    usual_ms = depth_ms(line, pcm, 0.0)
    dry(line, pcm, 0.0)
    runs_dry = 0
    for second in range(1, 121):
        line.write(SILENCE, float(second))
        pcm.queued = 0
        if depth_ms(line, pcm, float(second)) == usual_ms:
            dry(line, pcm, float(second))
            runs_dry += 1
    assert runs_dry == 4


def test_a_speaker_moves_once_it_has_played_more_than_its_drivers_queue() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    moved = []
    for n in range(10):
        while line.is_hungry(0.01 * n):
            line.write(SILENCE, 0.01 * n)
        pcm.queued -= BLOCK_SAMPLES
        moved.append(line.moves)
    assert moved[:5] == [False] * 5
    assert moved[-1]


def test_a_microphone_moves_with_its_first_frames() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    assert not line.moves
    pcm.answers = [BLOCK_SAMPLES, 0]
    list(line.blocks(0.01))
    assert line.moves


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
