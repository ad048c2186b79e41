"""A camera's pictures once more, as VP8, for browsers without H.264: decoded and encoded again while somebody looks.

It works with every camera, whatever encodes its H.264, and costs processor time that H.264 does not: the pictures are
smaller and fewer.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from typing import TYPE_CHECKING, Protocol

from intercom.media.camera.encoder import VIDEO_TIME_BASE, give_way_to_sound
from intercom.media.camera.stream import FrameSubscription
from intercom.media.codec.h264 import VIDEO_CLOCK_HZ, AccessUnit
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from av.video.codeccontext import VideoCodecContext
    from av.video.frame import VideoFrame

log = logging.getLogger(__name__)

MOST_WIDTH = 640
"""Limit of the width: a face on a telephone, for a third of what the whole picture costs."""
MOST_FRAME_RATE = 15
"""Limit of the frame rate."""
BITRATE_BPS = 700_000
"""Highest bit rate of these pictures."""
KEYFRAME_EVERY_PICTURES = 300
"""Pictures between two keyframes without a request; a far end that lost one asks."""
SPEED = 8
"""Speed of the encoder, `cpu-used`, 0 to 16: the highest that leaves faces without blocks at this bit rate."""


class Source(Protocol):
    """H.264 pictures; a camera is one."""

    def frames(self) -> FrameSubscription:
        """Subscribe to the pictures."""


class Transcoder:
    """Makes VP8 of H.264; use it on one thread at a time."""

    def __init__(self) -> None:
        import av  # heavy: only once somebody looks
        from av.video.codeccontext import VideoCodecContext

        decoder = av.CodecContext.create("h264", "r")
        assert isinstance(decoder, VideoCodecContext)
        decoder.thread_type = "SLICE"  # frame threads would hold back the last pictures
        self._decoder = decoder
        self._damaged: type[Exception] = av.error.InvalidDataError
        self._encoder: VideoCodecContext | None = None
        self._encoded_pts: int | None = None
        self._keyframe_wanted = threading.Event()
        self.bitrate_bps = BITRATE_BPS
        """Target bit rate, from the next picture on."""

    def request_keyframe(self) -> None:
        """Make the next picture a keyframe (any thread)."""
        self._keyframe_wanted.set()

    def put(self, unit: AccessUnit) -> AccessUnit | None:
        """Return the picture as VP8; None for one that is damaged, or comes too soon after the last."""
        from av.packet import Packet

        try:
            frames = self._decoder.decode(Packet(unit.data))
        except self._damaged:
            log.debug("Skipped a damaged picture of %d bytes", len(unit.data))
            return None
        if not frames or self._comes_too_soon(unit.pts):
            return None
        self._encoded_pts = unit.pts
        return self._encode(frames[-1], unit.pts)

    def _comes_too_soon(self, pts: int) -> bool:
        last = self._encoded_pts
        return last is not None and 0 <= pts - last < 0.9 * VIDEO_CLOCK_HZ / MOST_FRAME_RATE

    def _encode(self, frame: VideoFrame, pts: int) -> AccessUnit | None:
        from av.video.frame import PictureType

        width = min(frame.width, MOST_WIDTH) & ~1
        height = round(frame.height * width / frame.width / 2) * 2
        encoder = self._encoder_of(width, height)
        small = frame.reformat(width=width, height=height, format="yuv420p")
        small.pts, small.time_base, small.pict_type = pts, VIDEO_TIME_BASE, PictureType.NONE
        if self._keyframe_wanted.is_set():
            self._keyframe_wanted.clear()
            small.pict_type = PictureType.I
        encoder.bit_rate = self.bitrate_bps
        packets = encoder.encode(small)
        return AccessUnit(bytes(packets[0]), pts, packets[0].is_keyframe) if packets else None

    def _encoder_of(self, width: int, height: int) -> VideoCodecContext:
        """Return the encoder, a new one when the camera's size has changed."""
        import av
        from av.video.codeccontext import VideoCodecContext

        encoder = self._encoder
        if encoder is None or (encoder.width, encoder.height) != (width, height):
            encoder = av.CodecContext.create("libvpx", "w")
            assert isinstance(encoder, VideoCodecContext)
            encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
            encoder.framerate, encoder.time_base = Fraction(MOST_FRAME_RATE, 1), VIDEO_TIME_BASE
            encoder.bit_rate, encoder.gop_size = self.bitrate_bps, KEYFRAME_EVERY_PICTURES
            encoder.thread_count = 1
            encoder.options = {"deadline": "realtime", "cpu-used": str(SPEED), "lag-in-frames": "0"}
            self._encoder = encoder
        return encoder


class Vp8Pictures:
    """VP8 pictures of one camera for many consumers; it works while at least one subscribes. On the event loop."""

    bitrate_bps = BITRATE_BPS
    """The highest bit rate, bits a second."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._subscriptions: list[FrameSubscription] = []
        self._frames: FrameSubscription | None = None
        self._transcoder: Transcoder | None = None
        self._tasks = TaskSet()
        self.encoded = 0
        """Pictures encoded so far."""

    def frames(self) -> FrameSubscription:
        """Subscribe to the pictures; needs a running event loop."""
        subscription = FrameSubscription(begin=lambda _: self.request_keyframe(), on_close=self._unsubscribe)
        self._subscriptions.append(subscription)
        self.request_keyframe()
        if self._frames is None:
            self._frames = self._source.frames()
            self._tasks.spawn(self._run(self._frames))
        return subscription

    def request_keyframe(self) -> None:
        """Ask for a keyframe; the camera need not make one for it."""
        if self._transcoder is not None:
            self._transcoder.request_keyframe()

    def set_bitrate(self, bitrate_bps: int) -> None:
        """Set the target bit rate in bits a second."""
        if self._transcoder is not None:
            self._transcoder.bitrate_bps = min(bitrate_bps, BITRATE_BPS)

    def _unsubscribe(self, subscription: FrameSubscription) -> None:
        self._subscriptions.remove(subscription)
        if not self._subscriptions and self._frames is not None:
            frames, self._frames = self._frames, None
            frames.close()

    async def _run(self, frames: FrameSubscription) -> None:
        try:
            await self._encode_all(frames)
        finally:  # after a defect whoever subscribes next begins anew
            frames.close()
            if self._frames is frames:
                self._frames = None

    async def _encode_all(self, frames: FrameSubscription) -> None:
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "vp8", give_way_to_sound) as thread:
            transcoder = self._transcoder = await loop.run_in_executor(thread, Transcoder)
            put: Callable[[AccessUnit], AccessUnit | None] = transcoder.put
            async for unit in frames:  # whoever is too slow for the camera loses pictures there, up to a keyframe
                encoded = await loop.run_in_executor(thread, put, unit)
                if encoded is None or self._frames is not frames:
                    continue
                self.encoded += 1
                for subscription in list(self._subscriptions):
                    subscription.put(encoded)
