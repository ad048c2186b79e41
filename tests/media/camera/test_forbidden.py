"""A camera whose privacy is asked for: it stops, and whoever looks sees a card."""

from __future__ import annotations

import asyncio
import threading

import av
import pytest
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext

from intercom.media.camera.events import CameraStopped
from intercom.media.camera.privacy_card import CARD, CameraCard
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import CameraError
from intercom.media.codec.h264 import AccessUnit
from tests.media.camera.filmed import LIMIT_S, FilmedSource, Told, camera_threads, happens, have_ended


def is_card(unit: AccessUnit) -> bool:
    """Whether it is an IDR picture of the card's size, all grey."""
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, VideoCodecContext)
    frames = [*decoder.decode(Packet(unit.data)), *decoder.decode(None)] if len(unit.data) > 100 else []
    return unit.keyframe and [(frame.width, frame.height) for frame in frames] == [(CARD.width, CARD.height)]


async def test_a_forbidden_camera_stops_until_it_is_allowed(camera: Camera, source: FilmedSource, told: Told) -> None:
    with camera.frames() as frames:
        source.film(keyframe=True)
        await frames.next()
        camera.forbid(True)
        await told.wait_for(CameraStopped)
        assert not camera.is_running
        with pytest.raises(CameraError, match="privacy"):
            await camera.snapshot()
        with pytest.raises(CameraError, match="privacy"):
            await camera.peek()
        camera.forbid(False)
        back = source.film(keyframe=True)
        while (unit := await frames.next()) != back:
            assert is_card(unit)


async def test_whoever_looks_at_a_forbidden_camera_sees_a_card_and_no_picture_of_before(
    camera: Camera, source: FilmedSource
) -> None:
    with camera.frames() as frames, camera.frames() as quick:
        for index in range(5):
            source.film(keyframe=index == 0)
            await quick.next()
        camera.forbid(True)
        source.film(keyframe=True)
        assert [is_card(await frames.next()) for _ in range(2)] == [True, True]
        with camera.frames() as late:
            assert is_card(await late.next())


async def test_the_card_is_not_dealt_to_nobody(camera: Camera) -> None:
    before = camera_threads()
    camera.forbid(True)
    with camera.frames() as frames:
        assert is_card(await frames.next())
    await asyncio.to_thread(camera.stop, LIMIT_S)
    await have_ended(camera_threads() - before)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
async def test_after_a_defect_the_card_is_dealt_again(camera: Camera, monkeypatch: pytest.MonkeyPatch) -> None:
    died = threading.Event()

    def defect(_: CameraCard) -> AccessUnit:
        monkeypatch.undo()
        died.set()
        raise ZeroDivisionError("deep inside an encoder")

    monkeypatch.setattr(CameraCard, "picture", defect)
    camera.forbid(True)
    with camera.frames() as frames:
        await happens(died)
        while camera._card is not None:  # its thread is about to end
            await asyncio.sleep(0)
        camera.resume()
        assert is_card(await frames.next())
