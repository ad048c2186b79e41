"""picamera2 itself, not a stand-in, with libcamera on the kernel's virtual camera (vimc)."""

from __future__ import annotations

import queue
import threading
from types import ModuleType

import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.codec.h264 import AccessUnit
from tests.hardware import libcamera

VIDEO = VideoFormat(640, 480, 10, 1_000_000)
LIMIT_S = 60.0


def on_host() -> None:
    """Make ready, before the guest boots, what takes a network."""
    libcamera.ensure()


@pytest.fixture(scope="module")
def picamera2() -> ModuleType:
    return libcamera.load(libcamera.ensure())


def test_the_camera_is_found(picamera2: ModuleType) -> None:
    from intercom.media.camera.picamera2 import pi_camera_model

    assert pi_camera_model() == "Sensor B"


def test_pictures_arrive_as_h264_that_begins_with_a_keyframe(picamera2: ModuleType) -> None:
    from intercom.media.camera.picamera2 import Picamera2Source

    source = Picamera2Source(VIDEO, pixel_format="BGR888")
    units: queue.Queue[AccessUnit] = queue.Queue()
    stopping = threading.Event()
    recording = threading.Thread(target=source.run, args=(units.put, stopping), daemon=True)
    recording.start()
    first = units.get(timeout=LIMIT_S)
    others = [units.get(timeout=LIMIT_S) for _ in range(5)]
    stopping.set()
    recording.join(LIMIT_S)

    assert first.keyframe
    assert [unit.pts for unit in others] == sorted(unit.pts for unit in others)
    assert not recording.is_alive()


def test_a_keyframe_is_made_on_request_in_software_and_the_picture_goes_on(picamera2: ModuleType) -> None:
    from intercom.media.camera.picamera2 import Picamera2Source

    source = Picamera2Source(VIDEO, pixel_format="BGR888")
    units: queue.Queue[AccessUnit] = queue.Queue()
    stopping = threading.Event()
    recording = threading.Thread(target=source.run, args=(units.put, stopping), daemon=True)
    recording.start()
    assert units.get(timeout=LIMIT_S).keyframe
    assert not units.get(timeout=LIMIT_S).keyframe
    source.request_keyframe()
    source.set_bitrate(300_000)
    while not units.get(timeout=LIMIT_S).keyframe:
        pass
    assert not units.get(timeout=LIMIT_S).keyframe
    stopping.set()
    recording.join(LIMIT_S)
    assert not recording.is_alive()
