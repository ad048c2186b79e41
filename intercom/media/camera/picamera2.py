"""A Raspberry Pi camera through picamera2, with the Pi's own H.264 encoder where it has one (not the Pi 5)."""

from __future__ import annotations

import importlib
import threading
from types import ModuleType
from typing import Any

from intercom.media.camera.encoder import KEYFRAME_INTERVAL_S, ProcessorShare, VideoFormat
from intercom.media.camera.picamera2_encoder import make_software_encoder
from intercom.media.camera.snapshot import LatestUnits
from intercom.media.camera.source import CameraError, Deliver, VideoClock
from intercom.media.camera.v4l2_controls import BITRATE, set_control
from intercom.media.codec.h264 import ParameterSets

INSTALL = (
    "install it with `sudo apt install python3-picamera2` and make the virtual environment with --system-site-packages"
)
OWN_KEYFRAME_INTERVAL_S = 2
"""Interval between keyframes for a picamera2 that cannot make them on request."""


def load_picamera2() -> ModuleType:
    """Import picamera2, which exists on a Pi only; raises CameraError with what to do."""
    try:
        return importlib.import_module("picamera2")
    except ImportError as error:
        raise CameraError(
            f"The Pi camera needs picamera2, which cannot be loaded here ({error}): {INSTALL}."
        ) from error


def pi_camera_model() -> str | None:
    """Return the model of the first Pi camera, None if there is none; USB cameras belong to V4L2."""
    try:
        cameras = load_picamera2().Picamera2.global_camera_info()
    except RuntimeError as error:
        raise CameraError(f"The Pi cameras cannot be listed ({error}): restart the machine.") from error
    return next((str(info.get("Model", info["Id"])) for info in cameras if "/usb" not in info["Id"]), None)


class Picamera2Source:
    """The first Pi camera as a picture source."""

    name = "picamera2"

    def __init__(self, video: VideoFormat, *, pixel_format: str = "YUV420") -> None:
        """`pixel_format` is the encoder's input format: YUV420 on every Pi.

        Raises CameraError if picamera2 is missing.
        """
        self._picamera2 = load_picamera2()
        encoders = importlib.import_module("picamera2.encoders")
        self._is_software = encoders.H264Encoder is encoders.LibavH264Encoder
        self._make_encoder = encoders.H264Encoder
        self._video = video.for_software() if self._is_software else video
        self._pixel_format = pixel_format
        self._times = VideoClock()
        self._units = LatestUnits()
        self._share = ProcessorShare()
        self._encoder: Any = None

    @property
    def description(self) -> str:
        how = "H.264 in software (this Pi has no encoder)" if self._is_software else "H.264 by the Pi's encoder"
        return f"Pi camera, {self._video}, {how}"

    @property
    def bitrate_bps(self) -> int:
        return self._video.bitrate_bps

    @property
    def processor_share(self) -> float | None:
        return self._share.value

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        try:
            camera = self._picamera2.Picamera2()
        except (RuntimeError, IndexError) as error:
            raise CameraError(
                f"The Pi camera cannot be opened ({error}): check its ribbon cable, and that no other program uses it."
            ) from error
        try:
            self._record(camera, deliver, stopping)
        except RuntimeError as error:
            raise CameraError(f"The Pi camera stopped ({error}): check its ribbon cable.") from error
        finally:
            self._encoder = None
            self._units.clear()
            self._share.clear()
            camera.close()

    def request_keyframe(self) -> None:
        force = getattr(self._encoder, "force_key_frame", None)  # an older picamera2 has no such method
        if force is not None:
            force()

    def set_bitrate(self, bitrate_bps: int) -> None:
        encoder = self._encoder
        device = getattr(encoder, "vd", None)  # the hardware encoder's device file, while it is open
        if device is not None and not device.closed:
            set_control(device.fileno(), BITRATE, bitrate_bps)
        elif encoder is not None and self._is_software:
            encoder.set_bitrate(bitrate_bps)

    def snapshot(self) -> bytes:
        return self._units.jpeg(self.request_keyframe)

    def _record(self, camera: Any, deliver: Deliver, stopping: threading.Event) -> None:
        video = self._video
        camera.configure(
            camera.create_video_configuration(
                main={"size": (video.width, video.height), "format": self._pixel_format},
                controls={"FrameRate": video.frame_rate},
            )
        )
        self._encoder = make_software_encoder(video) if self._is_software else self._hardware_encoder()
        camera.start_recording(self._encoder, self._make_output(deliver))
        stopping.wait()
        camera.stop_recording()

    def _hardware_encoder(self) -> Any:
        video = self._video
        encoder = self._make_encoder(video.bitrate_bps, repeat=True, framerate=video.frame_rate)
        on_request = hasattr(encoder, "force_key_frame")
        encoder.iperiod = video.frame_rate * (KEYFRAME_INTERVAL_S if on_request else OWN_KEYFRAME_INTERVAL_S)
        encoder.profile = "constrained baseline"
        return encoder

    def _make_output(self, deliver: Deliver) -> Any:
        sets = ParameterSets()
        outputs = importlib.import_module("picamera2.outputs")

        class AccessUnits(outputs.Output):  # type: ignore[misc, name-defined]  # exists on a Pi only
            """Takes each picture from the encoder's thread."""

            def outputframe(  # picamera2 decides the parameters
                _self,  # noqa: N805  # `self` is the source
                frame: bytes,
                keyframe: bool = True,
                timestamp: int | None = None,
                packet: object = None,
                audio: bool = False,
            ) -> None:
                stamp_s = None if timestamp is None else timestamp / 1_000_000
                unit = sets.complete(bytes(frame), self._times.pts(stamp_s))
                if unit is not None:
                    self._units.put(unit)
                    deliver(unit)
                if self._is_software:
                    self._share.picture()

        return AccessUnits()
