"""A far end hides the door's picture by a new offer, and shows it again by another; it is aiortc's, as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiortc import RTCRtpReceiver, RTCSessionDescription
from aiortc.mediastreams import AudioStreamTrack

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.rtp.peer import DoorCall, DoorMedia
from intercom.media.rtp.sdp import Description
from intercom.media.sound.engine import AudioEngine
from tests.media.calls import until
from tests.media.events import Reported
from tests.media.viewers.far_end import PATIENCE_S, FarEnd


@pytest.fixture
async def camera() -> AsyncIterator[Camera]:
    camera = Camera(PatternSource(VideoFormat(320, 180, 25, 300_000)))
    yield camera
    await asyncio.to_thread(camera.stop, PATIENCE_S)


@pytest.fixture
async def call(engine: AudioEngine, camera: Camera) -> AsyncIterator[DoorCall]:
    events: Reported[object] = Reported()
    call = DoorMedia(engine, lambda: camera, on_event=events).open("1", [])
    yield call
    await call.close()


@pytest.fixture
async def screen() -> AsyncIterator[FarEnd]:
    async with FarEnd(sound=AudioStreamTrack()) as screen:
        yield screen


async def ask(screen: FarEnd, call: DoorCall, direction: str) -> Description:
    """Let the screen ask for the picture in this direction; return the door's answer."""
    await until(lambda: call.state == "connected")
    picture = screen.peer.getTransceivers()[1]
    picture.direction = direction
    answer = await call.create_restart_answer(await screen.offer())
    await screen.accept(answer)
    return Description.parse(answer)


async def hide_and_show(screen: FarEnd, call: DoorCall, camera: Camera) -> None:
    """Hide the picture until nothing of it is on its way, show it again, and wait until it arrives."""
    await ask(screen, call, "inactive")
    await until(lambda: not camera.is_running)
    before = await received(screen.track)
    await ask(screen, call, "recvonly")
    async with asyncio.timeout(PATIENCE_S):
        while await received(screen.track) == before:
            await asyncio.sleep(0.02)


async def received(receiver: RTCRtpReceiver) -> int:
    report = await receiver.getStats()
    return max((entry.packetsReceived for entry in report.values() if entry.type == "inbound-rtp"), default=0)


async def test_a_picture_that_was_hidden_arrives_again_when_it_is_shown(
    screen: FarEnd, call: DoorCall, camera: Camera
) -> None:
    await screen.accept(await call.create_answer(await screen.offer()))
    await screen.sees()
    path = call._connection
    for _ in range(2):
        await hide_and_show(screen, call, camera)
    assert call._connection is path


async def called(screen: FarEnd, call: DoorCall) -> None:
    """Let the door call the screen."""
    await screen.peer.setRemoteDescription(RTCSessionDescription(await call.create_offer(), "offer"))
    await screen.peer.setLocalDescription(await screen.peer.createAnswer())
    await call.accept_answer(screen.peer.localDescription.sdp)


async def test_a_far_end_that_was_called_hides_the_picture_and_shows_it_again(
    screen: FarEnd, call: DoorCall, camera: Camera
) -> None:
    await called(screen, call)
    await screen.sees()
    await hide_and_show(screen, call, camera)


async def test_a_far_end_that_was_called_and_drops_the_picture_keeps_the_call(
    screen: FarEnd, call: DoorCall, camera: Camera
) -> None:
    await called(screen, call)
    await screen.sees()
    dropped = Description.parse(await screen.offer())
    dropped.sections[1].port = 0
    answer = Description.parse(await call.create_restart_answer(str(dropped)))
    assert [section.port != 0 for section in answer.sections] == [True, False]
    await until(lambda: not camera.is_running)
    assert call.state == "connected"


async def test_a_hidden_picture_keeps_its_section_for_a_browser_takes_none_back_that_was_rejected(
    screen: FarEnd, call: DoorCall
) -> None:
    await screen.accept(await call.create_answer(await screen.offer()))
    hidden = (await ask(screen, call, "inactive")).sections[1]
    assert (hidden.port != 0, hidden.direction) == (True, "inactive")
    shown = (await ask(screen, call, "recvonly")).sections[1]
    assert (shown.port != 0, shown.direction) == (True, "sendonly")


async def test_the_far_ends_reports_reach_the_picture_that_is_shown_and_none_before_it(
    screen: FarEnd, call: DoorCall, camera: Camera
) -> None:
    await screen.accept(await call.create_answer(await screen.offer()))
    await screen.sees()
    before = call._connection.video
    assert before is not None
    await hide_and_show(screen, call, camera)
    asked_before, now = before.stats().keyframe_requests, call._connection.video
    assert now is not None
    (ssrc,) = screen.track._RTCRtpReceiver__remote_streams  # type: ignore[attr-defined]  # what a browser would ask for
    await screen.track._send_rtcp_pli(ssrc)
    await until(lambda: now.stats().keyframe_requests > 0)
    assert before.stats().keyframe_requests == asked_before
