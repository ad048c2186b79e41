"""Chooses the camera from the configuration and the devices present, and says in words which one and why."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from importlib.util import find_spec

from intercom.config import CameraConfig
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.events import CameraChosen, CameraEvent
from intercom.media.camera.picamera2 import Picamera2Source, pi_camera_model
from intercom.media.camera.shared import Camera
from intercom.media.camera.source import CameraError, CameraSource, Deliver
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.camera.v4l2 import V4l2Source
from intercom.media.camera.v4l2_controls import camera_name

__all__ = ["Camera", "CameraError", "open_camera"]

log = logging.getLogger(__name__)


def open_camera(
    config: CameraConfig,
    *,
    on_event: Callable[[CameraEvent], None] = lambda event: None,
    device: Callable[[], str] | None = None,
    has_ribbon: Callable[[], bool] = lambda: True,
) -> Camera | None:
    """Open the camera that the configuration names, or for `auto` the best one present; None for `off`.

    Opens no device: the camera runs only while somebody subscribes. `device` tells the file of a V4L2 camera, which may
    change with every plug; None: the configured one. `has_ribbon` tells whether a sensor is there that may be a Pi
    camera, so that picamera2 need not be asked where there is none. `on_event` is told what was chosen, and later what
    happens; it is called on the camera's threads. Raises CameraError if the configuration names a source that this
    machine cannot have.
    """
    where = device or (lambda: config.device)
    video = VideoFormat(config.width & ~1, config.height & ~1, config.frame_rate, config.bitrate_kbps * 1000)
    source: CameraSource
    match config.source:
        case "off":
            return None
        case "picamera2":
            source = Picamera2Source(video)
        case "v4l2":
            source = V4l2Source(where, video)  # it may be plugged in later
        case "pattern":
            source = PatternSource(video.for_software())
        case _:
            source = AutoSource(where, video, has_ribbon, on_event=on_event)
    if config.source != "auto":  # which tells it itself
        on_event(CameraChosen(source.name, source.description, ""))
    return Camera(source, on_event=on_event, vp8=config.vp8, always_on=config.always_on)


class AutoSource:
    """A source that uses the Pi camera if there is one, else the V4L2 camera, else the test pattern.

    Chosen when it starts, and again at each start until a real camera was found: at boot a USB camera may come later
    than we do. Where there may be a Pi camera, the first use chooses: importing picamera2 takes seconds.
    """

    def __init__(
        self,
        device: Callable[[], str],
        video: VideoFormat,
        has_ribbon: Callable[[], bool],
        *,
        on_event: Callable[[CameraEvent], None],
    ) -> None:
        self._device = device
        self._video = video
        self._has_ribbon = has_ribbon
        self._on_event = on_event
        self._source: CameraSource | None = None
        if find_spec("picamera2") is None or not has_ribbon():
            self._choose()

    @property
    def name(self) -> str:
        return "auto" if self._source is None else self._source.name

    @property
    def description(self) -> str:
        if self._source is None:
            return "the Pi camera if there is one (chosen at its first use)"
        return self._source.description

    @property
    def bitrate_bps(self) -> int:
        return self._video.bitrate_bps if self._source is None else self._source.bitrate_bps

    @property
    def processor_share(self) -> float | None:
        return None if self._source is None else self._source.processor_share

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        self._choose().run(deliver, stopping)

    def request_keyframe(self) -> None:
        if self._source is not None:
            self._source.request_keyframe()

    def set_bitrate(self, bitrate_bps: int) -> None:
        if self._source is not None:
            self._source.set_bitrate(bitrate_bps)

    def snapshot(self) -> bytes:
        if self._source is None:
            raise CameraError("The camera has not started yet; try again when it runs.")
        return self._source.snapshot()

    def _choose(self) -> CameraSource:
        if self._source is not None and self._source.name != PatternSource.name:
            return self._source
        source, reason = self._find()
        if self._source is None or self._source.name != source.name:
            self._source = source
            log.info("Picture: %s (%s)", source.description, reason)
            self._on_event(CameraChosen(source.name, source.description, reason))
        return self._source

    def _find(self) -> tuple[CameraSource, str]:
        """Return the best source present and the reason for choosing it."""
        try:
            model = pi_camera_model() if self._has_ribbon() or find_spec("picamera2") is None else None
            if model is not None:
                return Picamera2Source(self._video), f"found {model}"
            missing = "no Pi camera"
        except CameraError as error:
            missing = "no picamera2"
            log.debug("%s", error)
        name = camera_name(self._device())
        if name is not None:
            return V4l2Source(self._device, self._video), f"{missing}, found {name}"
        return PatternSource(self._video.for_software()), f"{missing}, no camera at {self._device()}"
