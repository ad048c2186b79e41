"""The switch and the command each hold the camera off; the light shows that it runs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.door.camera.camera_privacy import OFF_FILE, CameraPrivacy
from intercom.media.camera.events import CameraEvent, CameraStarted, CameraStopped
from intercom.media.camera.shared import Camera
from tests.media.camera.filmed import FilmedSource, Told


class Pins:
    """A light and a switch."""

    def __init__(self) -> None:
        self.on_switch: Callable[[], None] | None = None
        self.forbids = False
        self.lit: list[bool] = []

    def show(self, running: bool) -> None:
        self.lit.append(running)

    def move(self, closed: bool) -> None:
        self.forbids = closed
        assert self.on_switch is not None
        self.on_switch()


@pytest.fixture
def camera() -> Camera:
    return Camera(FilmedSource())


@pytest.fixture
def pins() -> Pins:
    return Pins()


def started(camera: Camera | None, pins: Pins, state_dir: Path) -> CameraPrivacy:
    privacy = CameraPrivacy(camera, pins, state_dir)
    privacy.start(lambda: None)
    return privacy


def test_nobody_forbids_the_camera_at_first(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    assert started(camera, pins, tmp_path).forbidden_by == []
    assert not camera.is_forbidden


def test_a_switch_that_is_closed_at_the_start_forbids(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    pins.forbids = True
    started(camera, pins, tmp_path)
    assert camera.is_forbidden


def test_the_switch_holds_it_off_while_it_is_closed(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    privacy = started(camera, pins, tmp_path)
    pins.move(True)
    assert (camera.is_forbidden, privacy.forbidden_by) == (True, ["switch"])
    pins.move(False)
    assert not camera.is_forbidden


def test_what_was_switched_off_by_command_stays_off_after_a_restart(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    started(camera, pins, tmp_path).set_off(True)
    again = Camera(FilmedSource())
    privacy = started(again, pins, tmp_path)
    assert (again.is_forbidden, privacy.forbidden_by) == (True, ["command"])
    privacy.set_off(False)
    assert not again.is_forbidden
    assert started(Camera(FilmedSource()), pins, tmp_path).forbidden_by == []


def test_the_command_does_not_overrule_the_switch(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    privacy = started(camera, pins, tmp_path)
    privacy.set_off(True)
    pins.move(True)
    privacy.set_off(False)
    assert (camera.is_forbidden, privacy.forbidden_by) == (True, ["switch"])


def test_a_state_that_cannot_be_read_leaves_the_camera_off(
    camera: Camera, pins: Pins, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    loop = tmp_path / OFF_FILE
    loop.symlink_to(loop)
    started(camera, pins, tmp_path)
    assert camera.is_forbidden
    assert "stays off" in caplog.text


def test_a_state_that_cannot_be_kept_holds_all_the_same(camera: Camera, pins: Pins, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    privacy = started(camera, pins, tmp_path / "file")
    with pytest.raises(OSError, match="file"):
        privacy.set_off(True)
    assert camera.is_forbidden


def test_a_door_without_a_camera_has_nothing_to_forbid(pins: Pins, tmp_path: Path) -> None:
    privacy = started(None, pins, tmp_path)
    pins.move(True)
    privacy.camera_changed()
    assert pins.lit == [False]


async def test_the_light_is_on_from_the_start_of_the_camera_to_its_end(pins: Pins, tmp_path: Path) -> None:
    source, told = FilmedSource(), Told()
    privacy: CameraPrivacy | None = None
    lit = threading.Event()

    def tell(event: CameraEvent) -> None:
        if isinstance(event, CameraStarted | CameraStopped) and privacy is not None:
            privacy.camera_changed()
            lit.set()
        told(event)

    camera = Camera(source, on_event=tell)
    privacy = started(camera, pins, tmp_path)
    with camera.frames():
        await told.wait_for(CameraStarted)
        assert pins.lit == [True]
    await told.wait_for(CameraStopped)
    assert pins.lit == [True, False]
