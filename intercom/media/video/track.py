"""A camera's access units as a track, passed through without encoding."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from aiortc.mediastreams import MediaStreamError

from intercom.media.camera.stream import FrameSubscription
from intercom.media.codec.h264 import AccessUnit, packetize
from intercom.media.rtp.packet_sender import BURST_PACKETS, EncodedTrack, MediaFrame


class Pictures(Protocol):
    """Encoded pictures for many consumers: a camera's H.264, or its VP8."""

    @property
    def bitrate_bps(self) -> int:
        """The highest bit rate, bits a second."""

    def frames(self) -> FrameSubscription:
        """Subscribe to the pictures."""

    def request_keyframe(self) -> None:
        """Ask for a keyframe."""

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Set the target bit rate in bits a second."""


class CameraTrack(EncodedTrack):
    """One call's track of a camera; `next_frame` gives one access unit and never fails while the track lives."""

    kind = "video"

    def __init__(
        self,
        frames: FrameSubscription,
        passes: Callable[[AccessUnit], bool],
        packets: Callable[[bytes], list[bytes]] = packetize,
        *,
        passes_at_once: Callable[[AccessUnit], bool] | None = None,
    ) -> None:
        """`passes` is asked about each access unit and may hold it back; `packets` gives the codec's RTP payloads.

        `passes_at_once` is asked on the camera's thread before: what it lets pass is sent there.
        """
        super().__init__()
        self._frames = frames
        self._passes = passes
        self._packets = packets
        self._passes_at_once = passes_at_once

    async def next_unit(self) -> AccessUnit:
        """Return the next access unit; waits for ever while the camera has none, and goes on when it is back.

        Raises MediaStreamError once the track was stopped.
        """
        async for unit in self._frames:
            if self._passes(unit):
                return unit
        raise MediaStreamError

    async def next_frame(self) -> MediaFrame:
        """Return the next access unit as packets, the last of them marked (RFC 6184 section 5.1, RFC 7741, 4.1)."""
        unit = await self.next_unit()
        return MediaFrame(unit.pts, self._packets(unit.data), marker=True)

    def push_to(self, send: Callable[[MediaFrame], None]) -> None:
        """Send on the camera's own thread from now on what passes at once, and needs no pause between its packets."""
        passes = self._passes_at_once
        if passes is None:
            return

        def take(unit: AccessUnit) -> bool:
            payloads = self._packets(unit.data)
            if len(payloads) > BURST_PACKETS or not passes(unit):
                return False
            send(MediaFrame(unit.pts, payloads, marker=True))
            return True

        self._frames.take_by(take)

    def stop(self) -> None:
        """End the track and release the camera (its sender calls this when the connection closes)."""
        super().stop()
        self._frames.close()
