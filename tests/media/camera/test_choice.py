"""Which camera is chosen, and what is said about it."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from intercom.config import CameraConfig
from intercom.media.camera import choice as camera_module
from intercom.media.camera.choice import CameraError, open_camera
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.events import CameraChosen
from tests.media.camera.filmed import LIMIT_S


@pytest.fixture(autouse=True)
def no_picamera2(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    monkeypatch.setattr(camera_module, "find_spec", lambda name: None)


def chosen(**fields: object) -> CameraChosen:
    events: list[object] = []
    open_camera(CameraConfig(**fields), on_event=events.append)  # type: ignore[arg-type]  # each test names real fields
    (event,) = events
    assert isinstance(event, CameraChosen)
    return event


def test_off_is_no_camera() -> None:
    assert open_camera(CameraConfig(source="off")) is None


def test_a_machine_without_any_camera_shows_the_pattern_and_says_why() -> None:
    event = chosen(source="auto", device="/dev/no-such-camera")
    assert event.source == "pattern"
    assert event.reason == "no picamera2, no camera at /dev/no-such-camera"


def test_a_pattern_at_which_nobody_looks_loads_no_ffmpeg() -> None:
    code = (
        "import sys; from intercom.config import CameraConfig; from intercom.media.camera.choice import open_camera\n"
        "open_camera(CameraConfig(source='pattern')); print('av' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_S)
    assert told.stdout == "False\n"


def test_a_pi_camera_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "pi_camera_model", lambda: "imx708")
    monkeypatch.setattr(camera_module, "Picamera2Source", camera_module.PatternSource)
    assert chosen(source="auto").reason == "found imx708"


async def test_a_usb_camera_that_came_after_us_is_found_at_the_next_ring(monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[object] = []
    camera = open_camera(CameraConfig(source="auto", device="/dev/late", width=320, height=180), on_event=events.append)
    assert camera is not None
    with camera.frames() as frames:
        await frames.next()
    await asyncio.to_thread(camera.stop, LIMIT_S)
    monkeypatch.setattr(camera_module, "camera_name", lambda device: "HD Pro Webcam C920")
    with camera.frames():
        async with asyncio.timeout(LIMIT_S):
            while "/dev/late" not in camera.description:
                await asyncio.sleep(0.01)
    assert [event.source for event in events if isinstance(event, CameraChosen)] == ["pattern", "v4l2"]
    await asyncio.to_thread(camera.stop, LIMIT_S)


async def test_where_picamera2_is_installed_it_is_imported_at_the_first_use_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_module, "find_spec", lambda name: "somewhere")
    events: list[object] = []
    camera = open_camera(CameraConfig(source="auto", device="/dev/none", width=320, height=180), on_event=events.append)
    assert camera is not None
    assert events == []
    assert (await camera.snapshot()).startswith(b"\xff\xd8\xff")
    await asyncio.to_thread(camera.stop, LIMIT_S)
    assert isinstance(events[1], CameraChosen)


def test_where_no_sensor_is_there_picamera2_is_not_asked_and_a_usb_camera_is_chosen_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera_module, "find_spec", lambda name: "somewhere")
    monkeypatch.setattr(camera_module, "pi_camera_model", lambda: pytest.fail("it was asked"))
    monkeypatch.setattr(camera_module, "camera_name", lambda device: "HD Pro Webcam C920")
    camera = open_camera(CameraConfig(source="auto"), has_ribbon=lambda: False)
    assert camera is not None
    assert camera.source == "v4l2"


def test_a_usb_camera_comes_before_the_pattern(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_module, "camera_name", lambda device: "HD Pro Webcam C920")
    event = chosen(source="auto")
    assert event.source == "v4l2"
    assert event.reason == "no picamera2, found HD Pro Webcam C920"


def test_a_named_source_needs_no_reason() -> None:
    event = chosen(source="pattern")
    assert (event.source, event.reason) == ("pattern", "")


def test_the_cost_of_encoding_in_software_is_said() -> None:
    assert "960x540 at 15 frames/s" in chosen(source="pattern", width=1280, height=720).description


def test_a_named_pi_camera_without_its_library_is_an_error() -> None:
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        open_camera(CameraConfig(source="picamera2"))


@pytest.mark.parametrize(
    ("wished", "carried"),
    [
        (VideoFormat(1280, 720, 25, 1_500_000), VideoFormat(960, 540, 15, 1_000_000)),
        (VideoFormat(640, 480, 10, 500_000), VideoFormat(640, 480, 10, 500_000)),
        (VideoFormat(1920, 1080, 30, 4_000_000), VideoFormat(960, 540, 15, 1_000_000)),
    ],
)
def test_software_keeps_the_shape_within_its_limits(wished: VideoFormat, carried: VideoFormat) -> None:
    assert wished.for_software() == carried
