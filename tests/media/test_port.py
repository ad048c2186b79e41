"""A PCM that goes and comes: what is told of it, and how often it is tried."""

from __future__ import annotations

import pytest

from intercom.media.errors import CardError
from intercom.media.events import DeviceLost, DeviceReturned, EngineEvent
from intercom.media.line import LineLostError, PlaybackLine
from intercom.media.port import EAGER_RETRY_S, RETRY_S, Port
from intercom.media.simulated import SimulatedSpeaker


class Socket:
    """Where a speaker is plugged in, or not."""

    def __init__(self) -> None:
        self.is_empty = False
        self.tries = 0

    def open(self) -> PlaybackLine:
        self.tries += 1
        if self.is_empty:
            raise CardError("nothing is plugged in")
        return PlaybackLine(SimulatedSpeaker(None))


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
def told() -> list[EngineEvent]:
    return []


@pytest.fixture
def port(socket: Socket, told: list[EngineEvent]) -> Port[PlaybackLine]:
    return Port("playback", socket.open, told.append)


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


def test_letting_go_opens_what_is_chosen_now(port: Port[PlaybackLine], socket: Socket, told: list[EngineEvent]) -> None:
    before = port.ready(0.0)
    port.let_go()
    assert port.ready(0.1) is not before
    assert socket.tries == 2
    assert told == []
