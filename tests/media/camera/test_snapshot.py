"""Stills: the newest picture, as JPEG, soon."""

from __future__ import annotations

import subprocess
import sys
import threading
from datetime import datetime
from io import BytesIO

import av
import pytest

from intercom.media.camera import snapshot
from intercom.media.camera.encoder import SoftwareEncoder, VideoFormat
from intercom.media.camera.snapshot import LatestUnits, jpeg
from intercom.media.camera.source import CameraError
from intercom.media.camera.test_pattern import TestPattern
from intercom.media.codec.h264 import AccessUnit
from tests.media.camera.filmed import LIMIT_S

VIDEO = VideoFormat(320, 180, 25, 500_000)
MANY_AT_ONCE = """
from concurrent.futures import ThreadPoolExecutor
import av
from intercom.media.camera.snapshot import LatestFrame
latest = LatestFrame()
latest.put(av.VideoFrame(960, 540, "yuv420p"))
with ThreadPoolExecutor(4) as askers:
    stills = [asker.result() for asker in [askers.submit(latest.jpeg) for _ in range(40)]]
print(len(set(stills)))
"""


def luma_at(data: bytes, x: int, y: int) -> int:
    with av.open(BytesIO(data)) as container:
        return int(next(container.decode(video=0)).to_ndarray(format="gray")[y, x])


class Film:
    """A short H.264 film whose pictures are plain grey, each of its own brightness."""

    def __init__(self) -> None:
        self._encoder = SoftwareEncoder(VIDEO)
        self._pts = 0

    def unit(self, brightness: int, *, keyframe: bool = False) -> AccessUnit:
        frame = av.VideoFrame(VIDEO.width, VIDEO.height, "yuv420p")
        for plane, value in zip(frame.planes, (brightness, 128, 128), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        if keyframe:
            self._encoder.request_keyframe()
        self._pts += 3600
        return self._encoder.encode(frame, self._pts)


def test_a_picture_becomes_a_jpeg_of_its_size() -> None:
    data = jpeg(TestPattern(1280, 720).draw(datetime.now()))
    assert data.startswith(b"\xff\xd8\xff")
    with av.open(BytesIO(data)) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (1280, 720)
    assert luma_at(data, 40, 40) == pytest.approx((180 - 16) * 255 / 219, abs=4)


def test_stills_that_several_ask_for_at_once_are_the_same_and_nobody_dies_of_them() -> None:
    """In a process of its own, for what it looks for is the end of the process."""
    done = subprocess.run(
        [sys.executable, "-c", MANY_AT_ONCE], capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stdout) == (0, "1\n"), done.stderr


def test_without_a_new_keyframe_the_pictures_since_the_last_are_decoded() -> None:
    film, latest = Film(), LatestUnits(clock=lambda: 0.0)
    for brightness in (60, 100, 140, 180):
        latest.put(film.unit(brightness))
    assert luma_at(latest.jpeg(lambda: None), 100, 100) == pytest.approx((180 - 16) * 255 / 219, abs=6)


def test_a_keyframe_on_request_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "KEYFRAME_WAIT_S", LIMIT_S)
    film, latest = Film(), LatestUnits()
    latest.put(film.unit(60))
    asked = threading.Event()
    data = []
    asking = threading.Thread(target=lambda: data.append(latest.jpeg(asked.set)))
    asking.start()
    assert asked.wait(LIMIT_S)
    latest.put(film.unit(180, keyframe=True))
    asking.join(LIMIT_S)
    assert luma_at(data[0], 100, 100) == pytest.approx((180 - 16) * 255 / 219, abs=6)


def test_a_long_gap_between_keyframes_costs_no_more_time_than_allowed() -> None:
    film = Film()
    ticks = iter(range(1000))
    latest = LatestUnits(clock=lambda: next(ticks) * 0.04)  # every look at the clock is 40 ms later
    for brightness in range(60, 200, 10):
        latest.put(film.unit(brightness))
    assert luma_at(latest.jpeg(lambda: None), 100, 100) < (110 - 16) * 255 / 219


def test_a_stopped_camera_shows_no_old_picture() -> None:
    film, latest = Film(), LatestUnits()
    latest.put(film.unit(60))
    latest.clear()
    with pytest.raises(CameraError, match="no picture"):
        latest.jpeg(lambda: None)


def test_pictures_before_the_first_keyframe_are_of_no_use() -> None:
    film, latest = Film(), LatestUnits()
    film.unit(60)
    latest.put(film.unit(80))
    with pytest.raises(CameraError, match="no picture"):
        latest.jpeg(lambda: None)


def test_a_damaged_picture_is_passed_over() -> None:
    film, latest = Film(), LatestUnits()
    latest.put(film.unit(180))
    latest.put(AccessUnit(b"\0\0\0\1\x41\xff\xff", 7200, keyframe=False))
    assert luma_at(latest.jpeg(lambda: None), 100, 100) == pytest.approx((180 - 16) * 255 / 219, abs=6)


def test_of_nothing_but_damage_there_is_no_picture() -> None:
    latest = LatestUnits()
    latest.put(AccessUnit(b"\0\0\0\1\x65\xff\xff", 3600, keyframe=True))
    with pytest.raises(CameraError, match="no picture"):
        latest.jpeg(lambda: None)
