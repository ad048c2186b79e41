"""Whoever watches the door sends sound, keys and orders, or is a stranger: nothing is played, nothing opens."""

from __future__ import annotations

import asyncio
import fractions
from collections.abc import AsyncIterator
from unittest.mock import MagicMock

import numpy as np
import pytest
from aiortc.mediastreams import AudioStreamTrack
from av.audio.frame import AudioFrame

from intercom.facts import CallBegan, DoorOpened, DoorRefused, Pressed
from tests.door.camera.test_views import CALL, Door
from tests.media.viewers.far_end import FarEnd
from tests.space.switch.test_views import Ringing

SOUND_S = 0.02


class Shout(AudioStreamTrack):
    """A loud tone, which a viewer sends without being asked."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0

    async def recv(self) -> AudioFrame:
        await asyncio.sleep(SOUND_S)
        samples = (20_000 * np.sin(np.arange(960) / 7)).astype(np.int16).reshape(1, -1)
        frame = AudioFrame.from_ndarray(samples, format="s16", layout="mono")
        frame.sample_rate, frame.time_base = 48_000, fractions.Fraction(1, 48_000)
        frame.pts = self.sent * 960
        self.sent += 1
        return frame


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    yield door
    await door.stop()


async def test_a_viewer_that_offers_sound_is_answered_without_any(door: Door) -> None:
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    shout = Shout()
    async with FarEnd(sound=shout) as far_end:
        answer = (await door.ask(far_end))["sdp"]
        assert "m=audio 0 " in answer, "no sound is agreed on, so that no key (RFC 4733) can come in it either"
        assert "telephone-event" not in answer
        assert "a=sendonly" in answer
        assert "a=sendrecv" not in answer
        assert "a=recvonly" not in answer


async def test_sound_that_a_viewer_sends_all_the_same_reaches_nobody(door: Door) -> None:
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    async with FarEnd() as far_end:
        await far_end.accept((await door.ask(far_end))["sdp"])
        await far_end.sees()
        viewer = door.views._viewers._viewers["view"]
        assert viewer is not None
        dtls = viewer._peer.getTransceivers()[0].receiver.transport
        received = MagicMock()
        viewer._peer.getTransceivers()[0].receiver._handle_rtp_packet = received  # type: ignore[method-assign]  # nothing is to come so far
        for sequence in range(50):
            event = bytes([0x80, 126, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 9]) + bytes([9, 0x8A, 0x06, 0x40])
            await far_end.peer.getTransceivers()[0].receiver.transport._send_rtp(event)
        await far_end.sees(3)
        assert dtls.state == "connected", "the view goes on"
        received.assert_not_called()
    assert not any(isinstance(fact, DoorOpened | DoorRefused) for fact in door.facts)


def test_a_viewer_s_keys_by_signalling_reach_no_door() -> None:
    house = Ringing("door", "kitchen")
    view = house.view(address="/private/door")
    for call_id in (view, "", "ring"):
        answer = house.board.verto("kitchen", "verto.info", call_id, dtmf="9")
        assert answer is None or "error" in answer
        answer = house.board.verto("kitchen", "verto.info", call_id, intercom={"door": "open"})
        assert answer is None or "error" in answer
    assert house.board.methods("door") == []


def test_what_else_a_viewer_writes_into_its_request_is_not_passed_on() -> None:
    house = Ringing("door", "kitchen")
    house.ring()
    assert (
        house.ask("kitchen", callID=house.ids["kitchen"], dtmf="9", intercom={"door": "open"}, by={"name": "x"}) is None
    )
    asked = house.events("door", "intercom.view")[0]
    assert set(asked) == {"view", "callID", "by", "sdp"}
    assert asked["by"]["name"] == "kitchen"


@pytest.mark.parametrize("method", ["intercom.view", "intercom.view.end", "intercom.view.answer", "intercom.still"])
def test_a_stranger_without_a_session_is_not_even_asked_for_its_offer(method: str) -> None:
    house = Ringing("door", "kitchen")
    house.ring()
    house.board.heard["stranger"], house.board.answers["stranger"] = [], []
    house.board.exchange.connected("stranger", house.board.now)
    answer = house.board.rpc("stranger", method, {"callID": house.ids["kitchen"], "sdp": "v=0\r\n"})
    assert answer is not None
    assert "error" in answer
    assert house.events("door", "intercom.view") == []
