"""A microphone that takes its time to start, in simulated time: it is heard once it runs, and not beyond its call."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench._paced import BenchCards
from bench.mouth_to_ear_simulated import Clock, Quiet
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import BLOCK_SAMPLES, Samples

VOICE = np.full(BLOCK_SAMPLES, 5000, np.int16)
TURN_S = 0.005


class Ear:
    """A near end that counts the blocks of the voice."""

    def __init__(self) -> None:
        self.heard = 0

    def push(self, block: Samples, now: float) -> None:
        self.heard += bool(np.mean(block) > VOICE[0] / 2)


class Door:
    """A call at a door whose microphone starts when the test wants."""

    def __init__(self) -> None:
        self._clock, self.ear, self.told = Clock(), Ear(), list[EngineEvent]()
        self.engine = AudioEngine(BenchCards(self._clock, voice=VOICE), on_event=self.told.append, clock=self._clock)
        self._starts: list[Callable[[], None]] = []
        for port in (self.engine._playback, self.engine._capture):
            port._run = self._run
        self.engine.connect(Quiet(), self.ear)

    def _run(self, work: Callable[[], None], name: str) -> None:
        if name.startswith("start"):
            self._starts.append(work)
        else:
            work()

    def serves(self, seconds: float) -> None:
        until = self._clock.now + seconds
        while self._clock.now < until:
            self.engine._serve(self._clock.now)
            self._clock.now += TURN_S

    def microphone_starts(self, *, returns_after_s: float = 0.0) -> None:
        (start,) = self._starts
        self._starts.clear()
        start()
        self._clock.now += returns_after_s


def test_a_microphone_that_takes_longer_to_start_than_it_should_is_heard_all_the_same() -> None:
    door = Door()
    door.serves(1.5)
    assert [type(event) for event in door.told][-1] is DeviceLost
    door.microphone_starts()
    door.serves(0.5)
    assert door.ear.heard > 20
    assert [type(event) for event in door.told][-1] is DeviceReturned


def test_a_microphone_whose_call_ends_while_it_starts_is_stopped_as_soon_as_it_runs() -> None:
    door = Door()
    door.serves(0.1)
    door.engine.disconnect(door.ear)
    door.serves(0.1)
    door.microphone_starts()
    door.serves(TURN_S)
    assert not door.engine._capture.is_running
    assert not door.ear.heard


def test_what_a_microphone_that_started_for_one_call_captured_before_the_next_one_is_not_sent() -> None:
    door, later = Door(), Ear()
    door.serves(0.1)
    door.engine.disconnect(door.ear)
    door.serves(0.1)
    door.microphone_starts(returns_after_s=0.3)
    door.engine.connect(Quiet(), later)
    door.serves(TURN_S)
    assert not later.heard
    door.microphone_starts()
    door.serves(0.1)
    assert later.heard
