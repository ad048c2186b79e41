"""A PCM that goes and comes: what is told of it, and how often it is tried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import alsaaudio
import pytest

from intercom.media.cards.pcm_line import CaptureLine, PlaybackLine
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.cards.pcm_port import EAGER_RETRY_S, HANGS_S, RETRY_S, Port
from intercom.media.cards.simulated import SimulatedSpeaker
from intercom.media.errors import CardAbsentError, CardError
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent
from tests.media.cards.scripted_pcm import ScriptedPcm


class Socket:
    """Where a speaker is plugged in, or not."""

    def __init__(self) -> None:
        self.is_empty = False
        self.error = CardError("it may not be opened yet")
        self.tries = 0

    def open(self) -> PlaybackLine:
        self.tries += 1
        if self.is_empty:
            raise self.error
        return PlaybackLine(SimulatedSpeaker(None))


def at_once(work: Callable[[], None], name: str) -> None:
    work()


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
def told() -> list[EngineEvent]:
    return []


@pytest.fixture
def port(socket: Socket, told: list[EngineEvent]) -> Port[PlaybackLine]:
    return Port("playback", socket.open, told.append, wake=lambda: None, run=at_once)


def test_a_device_that_opens_and_hangs_is_told_once(port: Port[PlaybackLine], told: list[EngineEvent]) -> None:
    for second in range(5):
        assert port.ready(float(second)) is not None
        port.lost(LineLostError("its clock stands still"), second + 0.5)
    assert told == [DeviceLost("playback", "its clock stands still")]
    port.ready(10.0)
    assert port.is_on_trial
    port.proved(10.1)
    assert told[1:] == [DeviceReturned("playback", pytest.approx(9.6))]
    assert not port.is_on_trial


def test_it_is_tried_often_once_something_was_plugged_in(port: Port[PlaybackLine], socket: Socket) -> None:
    socket.is_empty = True
    port.ready(0.0)
    assert port.retry_in_s(0.0) == pytest.approx(RETRY_S)
    port.look_again(0.05)
    assert port.retry_in_s(0.05) == 0.0
    port.ready(0.05)
    assert port.retry_in_s(0.05) == pytest.approx(EAGER_RETRY_S)


def test_it_is_not_tried_often_while_no_card_is_there(port: Port[PlaybackLine], socket: Socket) -> None:
    socket.is_empty, socket.error = True, CardAbsentError("nothing is plugged in")
    port.look_again(0.0)
    port.ready(0.01)
    assert port.retry_in_s(0.01) == pytest.approx(RETRY_S)


def test_a_card_that_comes_while_none_was_found_is_tried_at_once(told: list[EngineEvent]) -> None:
    socket = Hanging()
    port: Port[PlaybackLine] = Port("playback", socket.open, told.append, wake=lambda: None, run=socket.run)
    socket.is_empty, socket.error = True, CardAbsentError("nothing is plugged in")
    port.ready(0.0)
    port.look_again(0.01)
    socket.works.pop()()
    port.ready(0.02)
    assert port.retry_in_s(0.02) == 0.0


def test_letting_go_opens_what_is_chosen_now(port: Port[PlaybackLine], socket: Socket, told: list[EngineEvent]) -> None:
    before = port.ready(0.0)
    port.let_go(lambda: True)
    assert port.ready(0.1) is not before
    assert socket.tries == 2
    assert told == []


def test_a_line_that_was_opened_anew_meanwhile_is_kept(port: Port[PlaybackLine], socket: Socket) -> None:
    line = port.ready(0.0)
    port.let_go(lambda: False)
    assert port.ready(0.1) is line
    assert socket.tries == 1


class Hanging(Socket):
    """Where opening takes as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.works: list[Callable[[], None]] = []

    def run(self, work: Callable[[], None], name: str) -> None:
        self.works.append(work)


def test_a_card_that_does_not_open_is_told_once_and_left_in_peace_as_long_as_it_hung(told: list[EngineEvent]) -> None:
    socket = Hanging()
    port: Port[PlaybackLine] = Port("playback", socket.open, told.append, wake=lambda: None, run=socket.run)
    socket.is_empty = True
    for look in range(160):
        assert port.ready(look / 20) is None
        assert port.is_opening is (look <= 20)
    (lost,) = told
    assert isinstance(lost, DeviceLost)
    assert "does not open" in lost.reason
    assert len(socket.works) == 1
    socket.works.pop()()
    port.ready(8.0)
    assert port.retry_in_s(8.0) == 8.0
    port.ready(15.9)
    assert not socket.works
    port.ready(16.0)
    assert len(socket.works) == 1
    assert len(told) == 1


def test_a_thread_that_slept_does_not_blame_the_card_that_opens_meanwhile(told: list[EngineEvent]) -> None:
    socket = Hanging()
    port: Port[PlaybackLine] = Port("playback", socket.open, told.append, wake=lambda: None, run=socket.run)
    port.ready(0.0)
    assert port.retry_in_s(0.0) < 0.1
    port.ready(5.0)
    socket.works.pop()()
    assert port.ready(5.01) is not None
    assert told == []


def test_another_card_does_not_wait_for_the_one_that_hangs(told: list[EngineEvent]) -> None:
    socket = Hanging()
    port: Port[PlaybackLine] = Port("playback", socket.open, told.append, wake=lambda: None, run=socket.run)
    port.ready(0.0)
    port.let_go(lambda: True)
    port.ready(0.1)
    hangs, works = socket.works
    works()
    line = port.ready(0.2)
    assert line is not None
    hangs()
    assert port.ready(0.3) is line


def test_a_card_that_goes_between_open_and_its_first_question_is_tried_again(told: list[EngineEvent]) -> None:
    class Gone(SimulatedSpeaker):
        def info(self) -> dict[str, Any]:
            raise alsaaudio.ALSAAudioError("No such device")

    port: Port[PlaybackLine] = Port(
        "playback", lambda: PlaybackLine(Gone(None)), told.append, wake=lambda: None, run=at_once
    )
    assert port.ready(0.0) is None
    assert told == [DeviceLost("playback", "No such device")]
    assert port.retry_in_s(0.0) == pytest.approx(RETRY_S)


class SlowMicrophone:
    """A port whose microphone is open, and starts when the test wants."""

    def __init__(self) -> None:
        self.works: list[Callable[[], None]] = []
        self.told: list[EngineEvent] = []
        self.pcm = ScriptedPcm()
        self.port: Port[CaptureLine] = Port(
            "capture", lambda: CaptureLine(self.pcm), self.told.append, wake=lambda: None, run=self._run
        )
        self.port.ready(0.0)
        self.works.pop()()
        self.line = self.port.ready(0.0)

    def _run(self, work: Callable[[], None], name: str) -> None:
        self.works.append(work)


def test_a_microphone_runs_once_its_start_is_over() -> None:
    slow = SlowMicrophone()
    assert not slow.port.start(0.0)
    assert slow.port.is_starting
    assert not slow.port.start(0.05)
    assert not slow.port.is_running
    slow.works.pop()()
    assert slow.port.start(0.1)
    assert slow.port.is_running
    assert not slow.works


def test_a_microphone_that_only_starts_is_not_stopped() -> None:
    slow = SlowMicrophone()
    slow.port.start(0.0)
    slow.works.pop()()
    slow.port.rest()
    assert slow.port.start(0.05)
    assert slow.port.is_running


def test_a_microphone_that_does_not_start_is_lost_until_it_does() -> None:
    slow = SlowMicrophone()
    for look in range(40):
        assert not slow.port.start(look / 20)
        if slow.port.is_lost:
            break
    assert look / 20 == pytest.approx(HANGS_S, abs=0.1)
    assert slow.told == [DeviceLost("capture", "it does not start: its driver hangs, or its cable is bad")]
    assert slow.port.retry_in_s(look / 20) == HANGS_S, "nobody has to look: its end wakes"
    slow.works.pop()()
    assert slow.port.start(5.0)
    assert slow.port.is_running
    assert slow.port.is_on_trial
    assert not slow.works


def test_what_breaks_a_start_is_raised_where_it_is_awaited() -> None:
    slow = SlowMicrophone()
    slow.pcm.always = alsaaudio.ALSAAudioError("No such device")
    slow.port.start(0.0)
    slow.works.pop()()
    with pytest.raises(LineLostError, match="No such device"):
        slow.port.start(0.05)
    slow.port.lost(LineLostError("No such device"), 0.05)
    assert not slow.port.is_starting
    assert slow.told == [DeviceLost("capture", "No such device")]


def test_a_card_is_closed_once_its_start_is_over() -> None:
    opened, may_start, done = threading.Event(), threading.Event(), list[str]()

    class Slow(ScriptedPcm):
        def read(self) -> tuple[int, bytes]:
            may_start.wait()
            done.append("started")
            return super().read()

        def close(self) -> None:
            done.append("closed")

    port: Port[CaptureLine] = Port("capture", lambda: CaptureLine(Slow()), lambda _: None, wake=opened.set)
    port.ready(0.0)
    opened.wait()
    assert port.ready(0.0) is not None
    port.start(0.0)
    port.close()
    assert done == []
    may_start.set()
    port.wait_closed()
    assert done == ["started", "closed"]
