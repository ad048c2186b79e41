"""A call's picture over real WebRTC: our sender, aiortc's receiver and decoder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import pairwise
from statistics import median

import pytest
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpReceiver, RTCRtpSender
from aiortc.mediastreams import MediaStreamTrack
from av import VideoFrame

from intercom.media.camera.choice import Camera
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.privacy_card import CARD
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.video.sender import VideoSender
from tests.media.calls import LIMIT_S
from tests.media.video.attached import attach_camera

SMALL = VideoFormat(320, 180, 25, 500_000)


def ignore(event: object) -> None:
    """An event that this story is not about."""


def connection() -> RTCPeerConnection:
    return RTCPeerConnection(RTCConfiguration(iceServers=[]))


@asynccontextmanager
async def call(camera: Camera) -> AsyncIterator[tuple[VideoSender, RTCPeerConnection, MediaStreamTrack]]:
    """The door calls, the house answers; yields the door's sender, the house and the picture that it receives."""
    door, house = connection(), connection()
    sender = attach_camera(door.addTransceiver("video"), camera, on_event=ignore)
    await door.setLocalDescription(await door.createOffer())
    await house.setRemoteDescription(door.localDescription)
    await house.setLocalDescription(await house.createAnswer())
    await door.setRemoteDescription(house.localDescription)
    try:
        yield sender, house, house.getReceivers()[0].track
    finally:
        await asyncio.gather(door.close(), house.close())


async def picture(track: MediaStreamTrack) -> VideoFrame:
    async with asyncio.timeout(LIMIT_S):
        frame = await track.recv()
    assert isinstance(frame, VideoFrame)
    return frame


def usual_spacing_s(frames: list[VideoFrame]) -> float:
    return median((after.pts - before.pts) / 90_000 for before, after in pairwise(frames))


async def test_the_house_sees_what_the_door_sends() -> None:
    camera = Camera(PatternSource(SMALL), on_event=ignore)
    async with call(camera) as (_, _, track):
        frames = [await picture(track) for _ in range(30)]
        async with asyncio.timeout(LIMIT_S):
            while usual_spacing_s(frames[-30:]) != pytest.approx(1 / 25, rel=0.1):  # a busy machine skips pictures
                frames.append(await picture(track))
    assert {(frame.width, frame.height) for frame in frames} == {(320, 180)}
    white_bar = frames[-1].to_ndarray(format="yuv420p")[20, 20]
    assert white_bar == pytest.approx(180, abs=6)


async def test_the_end_of_the_call_frees_the_camera() -> None:
    camera = Camera(PatternSource(SMALL), on_event=ignore)
    async with call(camera) as (_, _, track):
        await picture(track)
        assert camera.is_running
    await asyncio.to_thread(camera.stop, LIMIT_S)
    assert not camera.is_running


async def test_a_picture_loss_indication_brings_a_keyframe() -> None:
    camera = Camera(PatternSource(SMALL), on_event=ignore)
    async with call(camera) as (sender, house, track):
        await picture(track)
        before = sender.stats()
        receiver = house.getReceivers()[0]
        (ssrc,) = receiver._RTCRtpReceiver__remote_streams
        await receiver._send_rtcp_pli(ssrc)
        async with asyncio.timeout(LIMIT_S):
            while sender.stats().keyframes == before.keyframes:
                await picture(track)
        # The far end asks by itself as well, for what a busy machine lost.
        assert sender.stats().keyframe_requests > before.keyframe_requests


async def test_a_camera_that_is_forbidden_in_a_call_shows_a_card_and_comes_back() -> None:
    camera = Camera(PatternSource(SMALL), on_event=ignore)
    async with call(camera) as (_, _, track):
        await picture(track)
        camera.forbid(True)
        async with asyncio.timeout(LIMIT_S):
            while (await picture(track)).width != CARD.width:
                assert camera.is_forbidden
        camera.forbid(False)
        async with asyncio.timeout(LIMIT_S):
            while (await picture(track)).width != SMALL.width:
                assert not camera.is_forbidden


def test_the_pinned_names_of_aiortc_are_there() -> None:
    assert asyncio.iscoroutinefunction(RTCRtpSender._handle_rtcp_packet)
    assert hasattr(RTCRtpReceiver, "_send_rtcp_pli")
