"""Which camera: the configuration's wish, what is there, and the words that say what was chosen and why."""

from __future__ import annotations

import logging
from collections.abc import Callable

from intercom.config import CameraConfig
from intercom.media.camera_encoder import VideoFormat
from intercom.media.camera_events import CameraChosen, CameraEvent
from intercom.media.camera_picamera2 import Picamera2Source, pi_camera_model
from intercom.media.camera_shared import Camera
from intercom.media.camera_source import CameraError, CameraSource
from intercom.media.camera_v4l2 import V4l2Source
from intercom.media.camera_v4l2_controls import camera_name
from intercom.media.pattern import PatternSource

__all__ = ["Camera", "CameraError", "open_camera"]

log = logging.getLogger(__name__)


def open_camera(config: CameraConfig, *, on_event: Callable[[CameraEvent], None] = lambda event: None) -> Camera | None:
    """Choose the camera that the configuration names, or the best that is there; None for `off`.

    Opens no device: the camera runs only while somebody subscribes. On a Pi the first call imports picamera2, which
    takes one to two seconds. `on_event` is told at once what was chosen, and later what happens; it is called on the
    camera's threads. Raises CameraError if the configuration names a source that this machine cannot have.
    """
    if config.source == "off":
        return None
    source, reason = _choose(config)
    log.info("Picture: %s%s", source.description, f" ({reason})" if reason else "")
    on_event(CameraChosen(source.name, source.description, reason))
    return Camera(source, on_event=on_event)


def _choose(config: CameraConfig) -> tuple[CameraSource, str]:
    """Return the source, and why this one if the configuration left it open."""
    video = VideoFormat(config.width & ~1, config.height & ~1, config.frame_rate, config.bitrate_kbps * 1000)
    if config.source == "picamera2":
        return Picamera2Source(video), ""
    if config.source == "v4l2":
        return V4l2Source(config.device, video), ""  # it may be plugged in later
    if config.source == "pattern":
        return PatternSource(video.for_software()), ""
    try:
        model = pi_camera_model()
        if model is not None:
            return Picamera2Source(video), f"found {model}"
        missing = "no Pi camera"
    except CameraError as error:
        missing = "no picamera2"
        log.debug("%s", error)
    name = camera_name(config.device)
    if name is not None:
        return V4l2Source(config.device, video), f"{missing}, found {name}"
    return PatternSource(video.for_software()), f"{missing}, no camera at {config.device}"
