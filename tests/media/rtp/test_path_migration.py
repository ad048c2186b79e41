"""A call that moves to a new peer connection while it goes on; both ends are doors, with simulated cards."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from intercom.media.camera.choice import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.errors import SessionDescriptionError
from intercom.media.events import CallInterrupted, CallMoved
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.sdp import Description
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import LIMIT_S, arrivals, connected, move, stopwatch, until, wait_for_state
from tests.media.events import Reported
from tests.media.video.test_call import SMALL

LONGEST_GAP_S = 0.5


@pytest.fixture
async def near(engine: AudioEngine, events: Reported[object]) -> DoorCall:
    camera = Camera(PatternSource(SMALL))
    return DoorMedia(engine, lambda: camera, on_event=events).open("near", [])


@pytest.fixture
async def far(far_engine: AudioEngine, events: Reported[object]) -> DoorCall:
    return DoorMedia(far_engine, on_event=events).open("far", [], video=False)


async def both_moved(events: Reported[object]) -> None:
    await until(lambda: {e.call_id for e in events.all if isinstance(e, CallMoved)} == {"near", "far"})


@pytest.mark.parametrize("offering", ["near", "far"])
async def test_the_sound_goes_on_over_a_new_connection(
    near: DoorCall, far: DoorCall, events: Reported[object], offering: str
) -> None:
    async with connected(near, far), stopwatch() as clock:
        heard = [arrivals(near, clock), arrivals(far, clock)]
        await until(lambda: all(len(times) > 20 for times in heard))
        await move(*((near, far) if offering == "near" else (far, near)))
        await both_moved(events)
        counts = [len(times) for times in heard]
        await until(lambda: all(len(times) > count + 20 for times, count in zip(heard, counts, strict=True)))
        assert near.state == far.state == "connected"
    gaps_s = [max(b - a for a, b in pairwise(times)) for times in heard]
    assert max(gaps_s) < LONGEST_GAP_S


async def test_keys_cross_the_new_connection(near: DoorCall, far: DoorCall, events: Reported[object]) -> None:
    pressed: list[str] = []
    far.digits_stream.subscribe(pressed.append)
    async with connected(near, far):
        await move(near, far)
        await both_moved(events)
        while not await near.send_digits("9"):
            await asyncio.sleep(0.02)
        await until(lambda: pressed == ["9"])


async def test_what_still_comes_by_the_old_connection_is_the_loops_at_once(near: DoorCall, far: DoorCall) -> None:
    async with connected(near, far):
        old = near._connection
        await until(lambda: old._inlet is not None)
        await move(near, far)
        await until(lambda: near._connection is not old)
        assert old._inlet is None


async def test_an_offer_that_nobody_takes_leaves_the_call_as_it_is(near: DoorCall, far: DoorCall) -> None:
    async with connected(near, far):
        await near.create_restart_offer()
        with pytest.raises(SessionDescriptionError):
            await near.accept_answer("hello")
        with pytest.raises(SessionDescriptionError):
            await near.create_restart_answer("hello")
        times = arrivals(near)
        await until(lambda: len(times) > 20)
        assert near.state == "connected"


async def test_when_both_offer_at_once_the_one_that_began_the_call_has_its_way(
    near: DoorCall, far: DoorCall, events: Reported[object]
) -> None:
    async with connected(near, far):
        offers = await near.create_restart_offer(), await far.create_restart_offer()
        answers = await near.create_restart_answer(offers[1]), await far.create_restart_answer(offers[0])
        await asyncio.gather(near.accept_answer(answers[1]), far.accept_answer(answers[0]))
        await both_moved(events)
        heard = [arrivals(near), arrivals(far)]
        await until(lambda: all(len(times) > 75 for times in heard))
        assert near.state == far.state == "connected"


async def test_a_new_offer_has_a_new_certificate_and_the_old_sections_and_names(near: DoorCall, far: DoorCall) -> None:
    async with connected(near, far):
        before = Description.parse(near._connection._description)
        after = Description.parse(await near.create_restart_offer())
        for name in ("mid", "msid"):
            assert [s.attribute(name) for s in before.sections] == [s.attribute(name) for s in after.sections]
        for name in ("ice-ufrag", "fingerprint"):
            assert before.sections[0].attribute(name) != after.sections[0].attribute(name)


async def test_a_far_end_that_comes_back_after_a_reload_gets_its_call(
    near: DoorCall, far_engine: AudioEngine, events: Reported[object]
) -> None:
    pages = [RTCPeerConnection(RTCConfiguration(iceServers=[])) for _ in range(2)]
    try:
        for number, page in enumerate(pages):
            page.addTrack(AudioStreamTrack())
            page.addTransceiver("video", "recvonly")
            await page.setLocalDescription(await page.createOffer())
            offer = page.localDescription.sdp
            answer = await (near.create_restart_answer(offer) if number else near.create_answer(offer))
            await page.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await wait_for_state(near, "connected")
            picture = next(t.receiver.track for t in page.getTransceivers() if t.kind == "video")
            await asyncio.wait_for(picture.recv(), LIMIT_S)
            if number == 0:
                await page.close()
                await wait_for_state(near, "disconnected")
        assert any(isinstance(event, CallInterrupted) for event in events.all)
    finally:
        await asyncio.gather(near.close(), *(page.close() for page in pages))


async def test_an_offer_that_keeps_the_path_keeps_the_connection(near: DoorCall) -> None:
    page = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    page.addTrack(AudioStreamTrack())
    try:
        for number in range(2):
            await page.setLocalDescription(await page.createOffer())
            offer = page.localDescription.sdp
            answer = await (near.create_restart_answer(offer) if number else near.create_answer(offer))
            await page.setRemoteDescription(RTCSessionDescription(answer, "answer"))
            await wait_for_state(near, "connected")
            if number == 0:
                first = near._connection
        assert near._connection is first
    finally:
        await asyncio.gather(near.close(), page.close())
