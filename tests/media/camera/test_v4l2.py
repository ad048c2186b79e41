"""A V4L2 camera: what it compresses itself goes out untouched, the rest is encoded again.

There is no V4L2 device on a build machine: a recording stands in behind the function that opens the device.
"""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import av
import pytest
from av.container import InputContainer
from av.video.stream import VideoStream

from intercom.media.camera.encoder import SoftwareEncoder, VideoFormat
from intercom.media.camera.source import CameraError, Deliver
from intercom.media.camera.test_pattern import TestPattern
from intercom.media.camera.v4l2 import V4l2Source
from intercom.media.camera.v4l2_controls import camera_name
from intercom.media.codec.h264 import AccessUnit, nal_type, split_nals

VIDEO = VideoFormat(640, 360, 30, 800_000)
PICTURES = 30


class Recording:
    """Opens a recording as if it were a device that has this one format."""

    def __init__(self, path: Path, device_format: str) -> None:
        self._path = path
        self._device_format = device_format
        self.tried: list[tuple[str, VideoFormat]] = []

    def __call__(self, device: str, input_format: str, video: VideoFormat) -> InputContainer:
        self.tried.append((input_format, video))
        if input_format != self._device_format:
            raise av.error.ArgumentError(22, "Invalid argument")
        return av.open(self._path, "r")


@pytest.fixture(scope="module")
def h264_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A camera that sends its parameter sets with every keyframe."""
    path = tmp_path_factory.mktemp("v4l2") / "camera.h264"
    pattern, encoder = TestPattern(VIDEO.width, VIDEO.height), SoftwareEncoder(VIDEO)
    path.write_bytes(
        b"".join(encoder.encode(pattern.draw(datetime.now()), index * 3000).data for index in range(PICTURES))
    )
    return path


@pytest.fixture(scope="module")
def mjpeg_recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("v4l2") / "camera.avi"
    pattern = TestPattern(VIDEO.width, VIDEO.height)
    with av.open(path, "w") as container:
        stream = container.add_stream("mjpeg", VIDEO.frame_rate)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = VIDEO.width, VIDEO.height, "yuvj420p"
        for index in range(PICTURES):
            frame = pattern.draw(datetime.now()).reformat(format="yuvj420p")
            frame.pts, frame.time_base = index, Fraction(1, VIDEO.frame_rate)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def play(source: V4l2Source) -> list[AccessUnit]:
    """Run the source to the end of its recording."""
    units: list[AccessUnit] = []
    run_to_its_end(source, units.append)
    return units


def run_to_its_end(source: V4l2Source, deliver: Deliver) -> None:
    """Run the source on a thread of its own, as the camera does: it lowers that thread's priority."""
    with ThreadPoolExecutor(1) as thread, pytest.raises(CameraError, match="ended its stream"):
        thread.submit(source.run, deliver, threading.Event()).result()


def decode(units: list[AccessUnit]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    return [frame for unit in units for frame in decoder.decode(av.Packet(unit.data))] + decoder.decode(None)


def test_a_camera_with_h264_is_passed_through_untouched(h264_recording: Path) -> None:
    units = play(V4l2Source("/dev/video0", VIDEO, open_device=Recording(h264_recording, "h264")))
    assert b"".join(unit.data for unit in units) == h264_recording.read_bytes()
    assert len(units) == PICTURES
    assert units[0].keyframe
    assert {nal_type(nal) for nal in split_nals(units[0].data)} >= {5, 7, 8}


def test_presentation_times_only_grow(h264_recording: Path) -> None:
    source = V4l2Source("/dev/video0", VIDEO, open_device=Recording(h264_recording, "h264"))
    times = [unit.pts for unit in play(source) + play(source)]
    assert times == sorted(set(times))


def test_a_camera_with_mjpeg_is_asked_for_less_and_encoded_again(mjpeg_recording: Path) -> None:
    recording = Recording(mjpeg_recording, "mjpeg")
    source = V4l2Source("/dev/video0", VIDEO, open_device=recording)
    units = play(source)
    assert recording.tried == [("h264", VIDEO), ("mjpeg", VIDEO.for_software())]
    frames = decode(units)
    assert {(frame.width, frame.height) for frame in frames} == {(640, 360)}
    assert "in software" in source.description


def test_a_camera_that_sends_too_many_pictures_loses_every_other(mjpeg_recording: Path) -> None:
    units = play(V4l2Source("/dev/video0", VIDEO, open_device=Recording(mjpeg_recording, "mjpeg")))
    assert VIDEO.for_software().frame_rate * 2 == VIDEO.frame_rate
    assert len(units) == PICTURES // 2


def test_the_colours_survive_the_second_encoding(mjpeg_recording: Path) -> None:
    units = play(V4l2Source("/dev/video0", VIDEO, open_device=Recording(mjpeg_recording, "mjpeg")))
    luma = decode(units)[-1].to_ndarray(format="yuv420p")
    white_bar, blue_bar = luma[20, 20], luma[20, 620]
    assert white_bar == pytest.approx(180, abs=5)
    assert blue_bar == pytest.approx(35, abs=5)


def test_a_damaged_picture_is_skipped(mjpeg_recording: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.avi"
    recording = mjpeg_recording.read_bytes()
    start = recording.index(b"\xff\xd8\xff")
    damaged.write_bytes(recording[:start] + b"\x00" * 4000 + recording[start + 4000 :])
    units = play(V4l2Source("/dev/video0", VIDEO, open_device=Recording(damaged, "mjpeg")))
    assert 1 < len(units) < PICTURES // 2 + 1


def test_a_camera_that_cannot_be_opened_says_what_to_look_at(tmp_path: Path) -> None:
    missing = tmp_path / "video0"
    with pytest.raises(CameraError, match=r"No such file.*plugged in.*group video"):
        V4l2Source(str(missing), VIDEO).run(lambda unit: None, threading.Event())


@pytest.mark.parametrize("kind", ["h264", "mjpeg"])
def test_a_still_is_the_newest_picture(kind: str, request: pytest.FixtureRequest) -> None:
    source = V4l2Source("/dev/video0", VIDEO, open_device=Recording(request.getfixturevalue(f"{kind}_recording"), kind))
    stills: list[bytes] = []

    def keep(unit: AccessUnit) -> None:
        if not stills:
            stills.append(source.snapshot())

    run_to_its_end(source, keep)
    with av.open(BytesIO(stills[0])) as container:
        frame = next(container.decode(video=0))
    assert (frame.width, frame.height) == (640, 360)
    with pytest.raises(CameraError, match="no picture"):
        source.snapshot()


def test_what_is_no_camera_has_no_name(tmp_path: Path) -> None:
    file = tmp_path / "video0"
    assert camera_name(str(file)) is None
    file.touch()
    assert camera_name(str(file)) is None


class PulledCamera:
    """A device that is pulled out after one packet; its packets are its own memory, and end with it."""

    def __init__(self) -> None:
        self.streams = SimpleNamespace(video=[SimpleNamespace(width=640, height=360)])
        self.packets: list[weakref.ref[PacketOfIt]] = []
        self.left_behind: int | None = None

    def __call__(self, *_: object) -> InputContainer:
        return cast(InputContainer, self)

    def __enter__(self) -> PulledCamera:
        return self

    def __exit__(self, *_: object) -> None:
        self.left_behind = sum(packet() is not None for packet in self.packets)

    def demux(self, _: object) -> Iterator[PacketOfIt]:
        packet = PacketOfIt()
        self.packets.append(weakref.ref(packet))
        yield packet
        raise av.error.ArgumentError(22, "Invalid argument")


class PacketOfIt:
    size, pts, time_base = 4, 0, Fraction(1, 30)

    def __bytes__(self) -> bytes:
        return b"\0\0\1\x09"


def test_no_packet_of_a_pulled_camera_outlives_it() -> None:
    """FFmpeg's packets are the driver's buffers: one that is freed after its container is a crash of the process."""
    camera = PulledCamera()
    with pytest.raises(CameraError, match="went away"):
        V4l2Source("/dev/video0", VIDEO, open_device=camera).run(lambda unit: None, threading.Event())
    assert camera.left_behind == 0
