"""A camera on a video transceiver of its own, without the rest of a call."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiortc import RTCRtpTransceiver

from intercom.media.camera.events import VideoEvent
from intercom.media.camera.shared import Camera
from intercom.media.rtp.packet_sender import PacketSender
from intercom.media.video.sender import VideoSender, prefer_h264


def attach_camera(
    transceiver: RTCRtpTransceiver,
    camera: Camera,
    *,
    on_event: Callable[[VideoEvent], None],
    clock: Callable[[], float] = time.monotonic,
) -> VideoSender:
    """Send the camera's picture one way, as a call does, once the connection is up. Needs a running event loop."""
    prefer_h264(transceiver)
    PacketSender(transceiver.sender)
    transceiver.direction = "sendonly"
    return VideoSender(transceiver.sender, camera, on_event=on_event, clock=clock)
