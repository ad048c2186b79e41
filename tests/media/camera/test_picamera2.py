"""The Pi camera, against a stand-in with picamera2's interface: what we ask of it and what we do with its answers.

The real library needs libcamera and a camera; what only a Pi can show is a manual check.
"""

from __future__ import annotations

import queue
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import av
import numpy as np
import pytest

from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.picamera2 import Picamera2Source, pi_camera_model
from intercom.media.camera.source import CameraError
from intercom.media.codec.h264 import AccessUnit
from tests.media.camera.filmed import LIMIT_S

VIDEO = VideoFormat(1280, 720, 25, 1_500_000)
KEYFRAME = b"\0\0\0\1\x67\x42\xe0\x1f\xda\0\0\0\1\x68\xce\x3c\x80\0\0\0\1\x65\x88\x84\x21"
PICTURE = b"\0\0\0\1\x41\x9a\x24\x6c"


class HardwareEncoder:
    def __init__(self, bitrate: int, *, repeat: bool, framerate: int) -> None:
        self.bitrate, self.repeat, self.framerate = bitrate, repeat, framerate
        self.iperiod: int | None = None
        self.profile: str | None = None
        self.key_frames = 0

    def force_key_frame(self) -> None:
        self.key_frames += 1


class LibavEncoder(HardwareEncoder):
    """picamera2's own in software."""


class Encoder:
    """What picamera2's encoders are made of."""

    def __init__(self) -> None:
        self.format = ""
        self.output: Any = None

    def encode(self, stream: str, request: Request) -> None:
        self._encode(stream, request)

    def outputframe(self, frame: bytes, keyframe: bool = True, timestamp: int | None = None) -> None:
        self.output.outputframe(frame, keyframe, timestamp)

    def _encode(self, stream: str, request: Request) -> None:
        raise NotImplementedError


class Request:
    """A picture of the camera: grey, in rows that are longer than the picture, as a Pi's are."""

    def __init__(self, video: VideoFormat, number: int) -> None:
        self.array = np.full((video.height * 3 // 2, video.width + 64), 128, np.uint8)
        self.number = number

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": 5_000_000_000 + self.number * 40_000_000}


class MappedArray:
    def __init__(self, request: Request, stream: str) -> None:
        self.array = request.array

    def __enter__(self) -> MappedArray:
        return self

    def __exit__(self, *exception: object) -> None:
        pass


class Output:
    """picamera2.outputs.Output has no state that we use."""


class Picamera2:
    cameras: ClassVar[list[dict[str, object]]] = [{"Model": "imx708", "Id": "/base/soc/i2c0mux/imx708@1a", "Num": 0}]
    opened: ClassVar[queue.Queue[Picamera2]] = queue.Queue()
    failure: ClassVar[Exception | None] = None

    def __init__(self) -> None:
        if self.failure is not None:
            raise self.failure
        self.log: list[str] = []
        self.recording = threading.Event()
        self.opened.put(self)

    @classmethod
    def global_camera_info(cls) -> list[dict[str, object]]:
        return cls.cameras

    def create_video_configuration(self, *, main: dict[str, Any], controls: dict[str, Any]) -> dict[str, Any]:
        return {"main": main, "controls": controls}

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configuration = configuration

    def start_recording(self, encoder: Any, output: Any) -> None:
        self.encoder, self.output = encoder, output
        encoder.output, encoder.format = output, self.configuration["main"]["format"]
        self.log.append("start")
        self.recording.set()

    def stop_recording(self) -> None:
        self.log.append("stop")

    def close(self) -> None:
        self.log.append("close")


@pytest.fixture(autouse=True)
def picamera2(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Install the stand-in; its `encoders` decide whether this Pi has a hardware encoder."""
    encoders = SimpleNamespace(H264Encoder=HardwareEncoder, LibavH264Encoder=LibavEncoder, Encoder=Encoder)
    for name, content in {
        "picamera2": SimpleNamespace(Picamera2=Picamera2, MappedArray=MappedArray),
        "picamera2.encoders": encoders,
        "picamera2.outputs": SimpleNamespace(Output=Output),
    }.items():
        module = ModuleType(name)
        vars(module).update(vars(content))
        monkeypatch.setitem(sys.modules, name, module)
        if name == "picamera2.encoders":
            encoders = module  # type: ignore[assignment]  # the module is what the source looks into
    monkeypatch.setattr(Picamera2, "opened", queue.Queue())
    return encoders


@pytest.fixture
def one_time_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take a picture that a busy machine handed over late for no new time line."""
    monkeypatch.setattr("intercom.media.camera.source.MAX_SKEW_S", LIMIT_S)


class Running:
    """A source in its thread, as the camera would run it."""

    def __init__(self, source: Picamera2Source) -> None:
        self.units: list[AccessUnit] = []
        self.stopping = threading.Event()
        self._thread = threading.Thread(target=source.run, args=(self.units.append, self.stopping))

    def __enter__(self) -> Picamera2:
        self._thread.start()
        camera = Picamera2.opened.get(timeout=LIMIT_S)
        assert camera.recording.wait(LIMIT_S)
        return camera

    def __exit__(self, *exception: object) -> None:
        self.stopping.set()
        self._thread.join(LIMIT_S)


def test_the_pis_own_encoder_is_asked_for_what_every_browser_decodes() -> None:
    with Running(Picamera2Source(VIDEO)) as camera:
        assert camera.configuration == {
            "main": {"size": (1280, 720), "format": "YUV420"},
            "controls": {"FrameRate": 25},
        }
        encoder = camera.encoder
        assert (encoder.bitrate, encoder.repeat, encoder.profile) == (1_500_000, True, "constrained baseline")
        assert encoder.iperiod == 250


@pytest.mark.usefixtures("one_time_line")
def test_its_access_units_go_out_untouched_with_its_own_spacing() -> None:
    running = Running(Picamera2Source(VIDEO))
    with running as camera:
        camera.output.outputframe(KEYFRAME, True, 0)
        camera.output.outputframe(PICTURE, False, 40_000)
    assert [unit.data for unit in running.units] == [KEYFRAME, PICTURE]
    assert [unit.keyframe for unit in running.units] == [True, False]
    assert running.units[1].pts - running.units[0].pts == pytest.approx(3600, abs=1)


def test_the_camera_is_stopped_and_freed() -> None:
    with Running(Picamera2Source(VIDEO)) as camera:
        pass
    assert camera.log == ["start", "stop", "close"]


def test_a_keyframe_is_the_encoders_work() -> None:
    source = Picamera2Source(VIDEO)
    source.request_keyframe()
    with Running(source) as camera:
        source.request_keyframe()
        assert camera.encoder.key_frames == 1


def test_an_older_library_without_keyframes_on_request_makes_them_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(HardwareEncoder, "force_key_frame")
    source = Picamera2Source(VIDEO)
    with Running(source) as camera:
        source.request_keyframe()
        assert camera.encoder.iperiod == 50


def test_a_pi_without_an_encoder_gets_a_format_that_it_can_carry(picamera2: SimpleNamespace) -> None:
    picamera2.H264Encoder = LibavEncoder
    source = Picamera2Source(VIDEO)
    with Running(source) as camera:
        assert camera.configuration["main"]["size"] == (960, 540)
    assert "in software" in source.description


@pytest.mark.usefixtures("one_time_line")
def test_a_pi_without_an_encoder_gets_keyframes_on_request_all_the_same(picamera2: SimpleNamespace) -> None:
    picamera2.H264Encoder = LibavEncoder
    source = Picamera2Source(VIDEO)
    running = Running(source)
    with running as camera, ThreadPoolExecutor(1) as picamera2_s_own:
        for number in range(6):
            if number == 3:
                source.request_keyframe()
            request = Request(VIDEO.for_software(), number)
            picamera2_s_own.submit(camera.encoder.encode, "main", request).result()
    assert [unit.keyframe for unit in running.units] == [True, False, False, True, False, False]
    assert running.units[1].pts - running.units[0].pts == pytest.approx(3600, abs=1)
    decoder = av.CodecContext.create("h264", "r")
    pictures = [picture for unit in running.units for picture in decoder.decode(av.Packet(unit.data))]
    assert (pictures[0].width, pictures[0].height) == (960, 540)


def test_a_pi_without_an_encoder_follows_the_bit_rate(picamera2: SimpleNamespace) -> None:
    picamera2.H264Encoder = LibavEncoder
    source = Picamera2Source(VIDEO)
    source.set_bitrate(1)
    with Running(source) as camera:
        source.set_bitrate(300_000)
        assert camera.encoder._x264._context.bit_rate == 300_000


def test_a_camera_in_use_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "failure", RuntimeError("Failed to acquire camera: Device or resource busy"))
    with pytest.raises(CameraError, match=r"busy.*no other program"):
        Picamera2Source(VIDEO).run(lambda unit: None, threading.Event())


def test_without_the_library_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraError, match="apt install python3-picamera2"):
        Picamera2Source(VIDEO)


def test_a_usb_camera_is_no_pi_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pi_camera_model() == "imx708"
    monkeypatch.setattr(Picamera2, "cameras", [{"Model": "C920", "Id": "/base/soc/usb@7e980000/1", "Num": 0}])
    assert pi_camera_model() is None
