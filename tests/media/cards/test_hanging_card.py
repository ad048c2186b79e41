"""A card whose driver hangs while it is opened: everything else goes on, in this process and in this call.

ALSA's own `file` plug-in stands for it: its open waits, deep in the C library, until somebody reads the pipe.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.config import AudioConfig
from intercom.media.cards.card import Pcm, open_pcm
from intercom.media.cards.simulated import SimulatedCards, SimulatedMicrophone
from intercom.media.events import DeviceLost, Direction, EngineEvent
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import SILENCE, Samples
from tests.media.events import Reported

HANGS_S = 100.0
"""Longer than the test looks; a process of its own ends it, for this one may stand still."""
LIMIT_S = 45.0


class HalfHanging(SimulatedCards):
    """A microphone that works, and a speaker that does not open."""

    def __init__(self, pipe: Path) -> None:
        super().__init__(AudioConfig())
        self._pipe = pipe

    def open(self, direction: Direction) -> Pcm:
        if direction == "playback":
            return open_pcm(direction, f"file:FILE={self._pipe},FORMAT=raw")
        return super().open(direction)


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = ["sh", "-c", f"sleep {HANGS_S}; exec timeout 5 cat {pipe} > /dev/null"]
    with subprocess.Popen(reading, start_new_session=True) as reader:
        yield pipe
        os.killpg(reader.pid, signal.SIGKILL)


class SlowToStart(SimulatedCards):
    """A speaker that works, and a microphone that does not start until it may, as where a sound server is busy."""

    def __init__(self) -> None:
        super().__init__(AudioConfig())
        self.may_start = threading.Event()

    def open(self, direction: Direction) -> Pcm:
        pcm = super().open(direction)
        if isinstance(pcm, SimulatedMicrophone):
            read = pcm.read

            def read_in_time() -> tuple[int, bytes]:
                self.may_start.wait()
                return read()

            pcm.read = read_in_time  # type: ignore[method-assign]  # its first read starts it
        return pcm


class Talk:
    """Both ends of a call, that count."""

    def __init__(self) -> None:
        self.pushed = self.pulls = 0
        self.pushed_enough, self.pulled = threading.Event(), threading.Event()
        self.pulled_enough = threading.Event()

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        self.pulled.set()
        self.pulls += 1
        if self.pulls == 20:
            self.pulled_enough.set()
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        self.pushed += 1
        if self.pushed == 100:
            self.pushed_enough.set()


def test_a_speaker_that_hangs_holds_up_neither_the_microphone_nor_the_process(pipe: Path) -> None:
    told: Reported[EngineEvent] = Reported()
    engine, talk = AudioEngine(HalfHanging(pipe), on_event=told), Talk()
    begun = time.monotonic()
    engine.start()
    engine.connect(talk, talk)
    try:
        assert talk.pushed_enough.wait(LIMIT_S)
        lost = told.wait_for(DeviceLost, LIMIT_S)
        assert talk.pulled.wait(LIMIT_S), "what the far end says passes by"
        assert time.monotonic() - begun < HANGS_S, "it all happened while the driver hung"
    finally:
        engine.stop()
    assert lost.direction == "playback"
    assert "does not open" in lost.reason


def test_a_microphone_that_is_slow_to_start_does_not_hold_up_the_speaker() -> None:
    cards, talk = SlowToStart(), Talk()
    engine = AudioEngine(cards, on_event=lambda _: None)
    engine.start()
    engine.connect(talk, talk)
    try:
        assert talk.pulled_enough.wait(LIMIT_S), "the speaker plays meanwhile"
        assert not talk.pushed
        cards.may_start.set()
        assert talk.pushed_enough.wait(LIMIT_S)
    finally:
        cards.may_start.set()
        engine.stop()
