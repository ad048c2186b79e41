"""The audio thread shows that it moves when it is asked, also while it idles, and that it does not when it hangs."""

from __future__ import annotations

import threading
import time

import pytest

from intercom.config import AudioConfig
from intercom.media.cards.card import Pcm
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.cards.simulated import SimulatedCards, SimulatedSpeaker
from intercom.media.errors import CardError, EngineStuckError
from intercom.media.events import Direction, EngineEvent, EngineFailed, EngineStarted, XrunHappened
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.format import SILENCE, Samples
from tests.media.events import Reported

LIMIT_S = 60.0


class NoCards:
    """A machine without a sound card; opening one can be made to hang."""

    description = "none"

    def __init__(self) -> None:
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked = threading.Event()

    def open(self, direction: Direction) -> Pcm:
        self.asked.set()
        self.may_answer.wait(LIMIT_S)
        raise CardError("there is no card")


def comes_round(engine: AudioEngine) -> bool:
    """Whether the thread answers the next question, in time."""
    engine.came_round()
    give_up = time.monotonic() + LIMIT_S
    while engine._asked:
        if time.monotonic() > give_up:
            return False
        time.sleep(0.001)
    return engine.came_round()


def test_an_engine_without_work_or_card_comes_round_when_it_is_asked() -> None:
    engine = AudioEngine(NoCards(), on_event=lambda event: None)
    engine.start()
    assert comes_round(engine)
    assert comes_round(engine)
    engine.stop()


def test_an_engine_whose_card_does_not_open_comes_round_all_the_same() -> None:
    cards = NoCards()
    cards.may_answer.clear()
    engine = AudioEngine(cards, on_event=lambda event: None)
    engine.start()
    assert cards.asked.wait(LIMIT_S)
    assert comes_round(engine)
    cards.may_answer.set()
    engine.stop()


class Stuck:
    """A far end that does not give its sound until it may."""

    def __init__(self) -> None:
        self.may_go_on = threading.Event()
        self.asked = threading.Event()

    def pull(self, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
        self.asked.set()
        self.may_go_on.wait(LIMIT_S)
        return SILENCE

    def push(self, block: Samples, now: float) -> None:
        """Nobody listens."""


def test_an_engine_that_is_held_does_not_until_it_is_let_go() -> None:
    engine, stuck = AudioEngine(NoCards(), on_event=lambda event: None), Stuck()
    engine.start()
    engine.connect(stuck, stuck)
    assert stuck.asked.wait(LIMIT_S)
    engine.came_round()
    assert not engine.came_round()
    stuck.may_go_on.set()
    assert comes_round(engine)
    engine.stop()


class MortalClock:
    """Time, until somebody wants the thread to die of it."""

    def __init__(self) -> None:
        self.kills = False

    def __call__(self) -> float:
        if self.kills and threading.current_thread().name == "audio-engine":
            self.kills = False
            raise ZeroDivisionError("a defect")
        return time.monotonic()


class HeldSpeaker(SimulatedSpeaker):
    """A speaker whose driver does not let it be closed until it may."""

    may_close = threading.Event()

    def close(self) -> None:
        self.may_close.wait(LIMIT_S)
        super().close()


class HeldCards(SimulatedCards):
    """A card that opens and does not close."""

    def open(self, direction: Direction) -> Pcm:
        return HeldSpeaker(None) if direction == "playback" else super().open(direction)


def test_an_engine_that_dies_tells_it_though_its_card_cannot_be_closed() -> None:
    told: Reported[EngineEvent] = Reported()
    clock = MortalClock()
    engine = AudioEngine(HeldCards(AudioConfig()), on_event=told, clock=clock)
    engine.start()
    told.wait_for(EngineStarted)
    clock.kills = True
    engine.came_round()
    assert "ZeroDivisionError" in told.wait_for(EngineFailed).reason
    HeldSpeaker.may_close.set()
    engine.restart()
    told.wait_for(EngineStarted, count=2)
    engine.stop()


def test_an_engine_whose_thread_does_not_end_is_not_taken_for_started_again() -> None:
    engine, stuck = AudioEngine(NoCards(), on_event=lambda event: None), Stuck()
    engine.start()
    engine.connect(stuck, stuck)
    assert stuck.asked.wait(LIMIT_S)
    with pytest.raises(EngineStuckError, match="does not end"):
        engine.restart()
    stuck.may_go_on.set()
    engine.stop()


def test_xruns_right_before_a_speaker_goes_are_told_once_it_is_back() -> None:
    told: list[EngineEvent] = []
    engine = AudioEngine(SimulatedCards(AudioConfig()), on_event=told.append)
    port = engine._playback
    port._run = lambda work, name: work()

    def serve(now: float) -> float:
        assert port.ready(now) is not None
        return 0.01

    def fail(now: float) -> float:
        raise LineLostError("it was unplugged")

    for now, xruns in ((0.0, 0), (0.1, 1), (0.2, 4)):
        if port.line is not None:
            port.line.loss.xruns = xruns
        engine._guarded(port, serve if now < 0.2 else fail, now)
    for second in range(1, 4):
        engine._guarded(port, serve, float(second))
    assert told[-1] == XrunHappened("playback", 4)
