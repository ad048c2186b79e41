"""A microphone is read in blocks, and a speaker's queue is as short as the machine allows."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bench.mouth_to_ear_simulated import Clock
from intercom.media.cards.pcm_line import SLACK_FRAMES, TARGET_FRAMES, PlaybackLine
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SILENCE, SPARE_S
from tests.media.cards.coarse import CoarseSpeaker
from tests.media.cards.scripted_pcm import ScriptedPcm, listening


def test_partial_reads_are_joined_into_blocks() -> None:
    pcm = ScriptedPcm()
    line = listening(pcm)
    pcm.answers = [200, 280 + 480, 0]
    assert not len(line.captured(0.01))
    assert len(line.captured(0.02)) == 2 * BLOCK_SAMPLES
    assert pcm.answers == [0], "one read is enough"


def test_the_speaker_is_fed_to_its_target_and_no_further() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    while line.is_hungry(0.0):
        line.write(SILENCE, 0.0)
    assert TARGET_FRAMES - BLOCK_SAMPLES < pcm.queued <= TARGET_FRAMES


def playing() -> tuple[PlaybackLine, ScriptedPcm]:
    """A speaker that has played for a while, and its PCM."""
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    for block in range(8):
        line.write(SILENCE, 0.0)
        pcm.queued = 0
        line.is_hungry(0.001 * block)
    assert line.moves
    return line, pcm


def test_a_dry_speaker_is_kept_fuller_from_then_on() -> None:
    line, pcm = playing()
    pcm.answers = [-32]
    assert line.write(SILENCE, 0.1)
    while line.is_hungry(0.1):
        line.write(SILENCE, 0.1)
    assert pcm.queued > TARGET_FRAMES
    assert line.xruns == 1


@pytest.mark.parametrize(("dry_times", "is_fuller"), [(1, False), (2, True)])
def test_a_speaker_that_runs_dry_as_it_begins_is_kept_fuller_if_it_does_so_again(
    dry_times: int, is_fuller: bool
) -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    for _ in range(dry_times):
        pcm.answers = [-32]
        line.write(SILENCE, 0.0)
    assert (depth_ms(line, pcm, 0.01) > TARGET_FRAMES // 48) is is_fuller
    assert line.xruns == dry_times


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
    line, pcm = playing()
    usual_ms = depth_ms(line, pcm, 0.0)
    dry(line, pcm, 0.1)
    assert depth_ms(line, pcm, 5.0) > usual_ms
    line.write(SILENCE, 5.2)
    pcm.queued = 0
    assert depth_ms(line, pcm, 5.3) == usual_ms


def test_a_machine_that_stumbled_once_has_its_short_delay_back_after_short_calls_of_five_seconds() -> None:
    line, pcm = playing()
    usual_ms = depth_ms(line, pcm, 0.0)
    dry(line, pcm, 0.1)
    depths_ms = []
    for call in range(1, 4):
        line.stop()
        line.start(100.0 * call)
        line.write(SILENCE, 100.0 * call + 2.0)
        pcm.queued = 0
        depths_ms.append(depth_ms(line, pcm, 100.0 * call + 2.0))
    assert depths_ms == [usual_ms + 10, usual_ms + 10, usual_ms]


def test_a_machine_that_needs_a_longer_delay_is_tried_ever_more_seldom() -> None:
    line, pcm = playing()
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


def test_a_speaker_is_asked_once_in_a_turn_and_filled_as_far() -> None:
    pcm = ScriptedPcm()
    pcm.always = BLOCK_SAMPLES
    line = PlaybackLine(pcm)
    line.start(0.0)
    for turn in range(1, 6):
        asked = pcm.asked
        while line.is_hungry(0.02 * turn):
            line.write(SILENCE, 0.02 * turn)
        assert pcm.asked == asked + 1
        assert TARGET_FRAMES - BLOCK_SAMPLES < pcm.queued <= TARGET_FRAMES
        full_s = (pcm.queued + BLOCK_SAMPLES + SLACK_FRAMES - TARGET_FRAMES) / RATE_HZ
        assert line.early_s(0.02 * turn) == pytest.approx(full_s), "until then it need not be asked"
        assert line.early_s(0.02 * (turn + 1)) == 0
        pcm.queued -= 2 * BLOCK_SAMPLES


@dataclass
class Turns:
    """A speaker that plays by the clock, and is asked as soon as it is time, or so much later."""

    step: int = 1
    now: float = 0.0

    def __post_init__(self) -> None:
        self.clock = Clock(self.now)
        self.line = PlaybackLine(CoarseSpeaker(self.clock, 0.0, self.step))
        self.line.start(self.now)

    def run(self, seconds: float, late_s: float = 0.0001) -> Turns:
        ends = self.clock.now + seconds
        while self.clock.now < ends:
            self.line.learn(self.clock.now)
            while self.line.is_hungry(self.clock.now):
                self.line.write(SILENCE, self.clock.now)
            self.clock.now += self.line.wait_s(self.clock.now) + late_s
        return self

    def asked(self) -> float:
        """What the speaker can spare when it is next asked in time, in s."""
        self.clock.now += self.line.early_s(self.clock.now)
        assert self.line.is_hungry(self.clock.now)
        return self.line.spare_s(self.clock.now)


def test_a_speaker_can_spare_a_part_of_its_queue_once_the_thread_was_punctual_for_two_seconds() -> None:
    turns = Turns().run(1.5)
    assert turns.asked() == 0
    turns.run(1.0)
    assert turns.asked() == pytest.approx(SPARE_S, abs=0.0002)
    turns.clock.now += 0.002
    assert turns.line.is_hungry(turns.clock.now)
    assert turns.line.spare_s(turns.clock.now) == pytest.approx(SPARE_S - 0.002, abs=0.0002)
    turns.clock.now += 0.004
    assert turns.line.is_hungry(turns.clock.now)
    assert turns.line.spare_s(turns.clock.now) == 0


def test_a_speaker_can_spare_nothing_after_its_thread_was_late() -> None:
    turns = Turns().run(3.0)
    turns.clock.now += turns.line.early_s(turns.clock.now)
    turns.run(0.02, late_s=0.0)
    assert turns.asked() > 0
    turns.run(0.02)
    turns.clock.now += turns.line.early_s(turns.clock.now) + 0.003
    assert turns.line.is_hungry(turns.clock.now)
    assert turns.line.spare_s(turns.clock.now) == 0
    turns.run(1.5)
    assert turns.asked() == 0
    turns.run(1.0)
    assert turns.asked() > 0


@pytest.mark.parametrize("step", [240, 480, 1024])
def test_a_speaker_whose_card_tells_its_place_in_steps_can_spare_nothing(step: int) -> None:
    turns = Turns(step).run(5.0)
    turns.clock.now += turns.line.early_s(turns.clock.now)
    turns.line.is_hungry(turns.clock.now)
    assert turns.line.spare_s(turns.clock.now) == 0


def test_what_the_speaker_did_not_take_counts_as_queued() -> None:
    pcm = ScriptedPcm()
    line = PlaybackLine(pcm)
    line.start(0.0)
    pcm.answers = [BLOCK_SAMPLES, 100]
    for _ in range(2):
        assert line.is_hungry(0.01)
        line.write(SILENCE, 0.01)
    assert not line.is_hungry(0.01)
    assert not line.is_hungry(0.02), "asked anew, it tells the same"


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
    line.captured(0.01)
    assert line.moves
