"""A camera's access units as an aiortc track: passed through, never encoded again.

aiortc packs an `av.Packet` that a track returns as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av.packet import Packet

from intercom.media.camera_encoder import VIDEO_TIME_BASE
from intercom.media.camera_stream import FrameSubscription
from intercom.media.h264 import AccessUnit


class CameraTrack(MediaStreamTrack):
    """One call's view of a camera. `recv` returns one access unit and never fails while the track lives."""

    kind = "video"

    def __init__(self, frames: FrameSubscription, passes: Callable[[AccessUnit], bool]) -> None:
        """`passes` is asked about each access unit and may hold it back."""
        super().__init__()
        self._frames = frames
        self._passes = passes

    async def recv(self) -> Packet[Any]:
        """Return the next access unit; waits for ever when the camera has none, and goes on when it is back.

        Raises MediaStreamError once the track was stopped (an exception ends an aiortc sender for good).
        """
        async for unit in self._frames:
            if self._passes(unit):
                packet: Packet[Any] = Packet(unit.data)
                packet.pts = packet.dts = unit.pts
                packet.time_base = VIDEO_TIME_BASE
                packet.is_keyframe = unit.keyframe
                return packet
        raise MediaStreamError

    def stop(self) -> None:
        """End the track and its hold on the camera (aiortc calls this when the connection closes)."""
        super().stop()
        self._frames.close()
