"""Reads a V4L2 camera (USB, capture card) through FFmpeg's demuxer.

What the camera compresses itself is used: H.264 goes out untouched; MJPEG and raw pictures are encoded in software,
smaller and slower than a hardware encoder could (`VideoFormat.for_software`).
"""

from __future__ import annotations

import logging
import os
import threading
import traceback
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from intercom.media.camera.encoder import ProcessorShare, SoftwareEncoder, VideoFormat, give_way_to_sound
from intercom.media.camera.snapshot import LatestFrame, LatestUnits
from intercom.media.camera.source import CameraError, Deliver, VideoClock
from intercom.media.camera.v4l2_controls import BITRATE, FORCE_KEYFRAME, set_control
from intercom.media.codec.h264 import ParameterSets

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

log = logging.getLogger(__name__)

INPUT_FORMATS = ("h264", "mjpeg", "yuyv422")
"""Formats to try, the cheapest first: raw YUYV at 1280x720 is 10 frames/s over USB 2, MJPEG 30."""
EARLY = 0.7
"""Share of the frame period that must pass before the next picture is encoded: of a camera at twice the rate every
other picture is dropped."""

Open = Callable[[str, str, VideoFormat], "InputContainer"]


def open_v4l2(device: str, input_format: str, video: VideoFormat) -> InputContainer:
    """Open a device in one of INPUT_FORMATS; size and rate are wishes that the driver may round.

    Raises av.FFmpegError, also if the camera has no such format.
    """
    import av  # heavy: only once the camera is to run
    from av.container import InputContainer

    options = {
        "input_format": input_format,
        "video_size": f"{video.width}x{video.height}",
        "framerate": str(video.frame_rate),
        # The driver has said all; FFmpeg would else look at up to five seconds of pictures before the first.
        "analyzeduration": "1",
        "probesize": "32",
    }
    container = av.open(device, "r", format="v4l2", container_options=options)
    assert isinstance(container, InputContainer)
    return container


class V4l2Source:
    """One V4L2 device as a picture source."""

    name = "v4l2"

    def __init__(self, device: str | Callable[[], str], video: VideoFormat, *, open_device: Open = open_v4l2) -> None:
        """`device` is a file, or a function that returns it at each start: a replugged camera may have another file."""
        self._where: Callable[[], str] = device if callable(device) else lambda: device
        self._device = self._where()
        self._video = video
        self._open_device = open_device
        self._times = VideoClock()
        self._units = LatestUnits()
        self._latest = LatestFrame()
        self._share = ProcessorShare()
        self._encoder: SoftwareEncoder | None = None
        self._controls_fd: int | None = None
        self._controls = threading.Lock()
        "Lock for setting a control and for closing the device: its number may be another file's the moment after."
        self._passes_through = False
        self._how = "not opened yet"

    @property
    def description(self) -> str:
        return f"V4L2 camera {self._device}, {self._how}"

    @property
    def bitrate_bps(self) -> int:
        return self._video.bitrate_bps

    @property
    def processor_share(self) -> float | None:
        return self._share.value

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        import av

        try:
            with self._open() as container:
                self._controls_fd = self._open_controls()
                stream = container.streams.video[0]
                try:
                    if self._passes_through:
                        self._pass_on(self._packets(container, stream, stopping), stream, deliver)
                    else:
                        self._transcode(self._packets(container, stream, stopping), stream, deliver)
                except BaseException as error:
                    # Packets are the driver's own buffers: one that an error's traceback keeps until the container is
                    # closed is given back to freed memory, and the process dies of it.
                    traceback.clear_frames(error.__traceback__)
                    raise
        except av.FFmpegError as error:
            raise CameraError(f"The camera {self._device} went away ({error.strerror}); replug it.") from error
        finally:
            with self._controls:
                if self._controls_fd is not None:
                    os.close(self._controls_fd)
                self._controls_fd = None
            self._encoder = None
            self._units.clear()
            self._latest.put(None)
            self._share.clear()
        if not stopping.is_set():
            raise CameraError(f"The camera {self._device} ended its stream; replug it.")

    def request_keyframe(self) -> None:
        if (encoder := self._encoder) is not None:
            encoder.request_keyframe()
        else:
            self._control(FORCE_KEYFRAME, 1)

    def set_bitrate(self, bitrate_bps: int) -> None:
        if (encoder := self._encoder) is not None:
            encoder.set_bitrate(bitrate_bps)
        else:
            self._control(BITRATE, bitrate_bps)

    def _control(self, control: int, value: int) -> None:
        with self._controls:
            if self._controls_fd is not None:
                set_control(self._controls_fd, control, value)

    def snapshot(self) -> bytes:
        if self._passes_through:
            return self._units.jpeg(self.request_keyframe)
        return self._latest.jpeg()

    # Opening.

    def _open(self) -> InputContainer:
        import av

        refusals = []
        self._device = self._where()
        for input_format in INPUT_FORMATS:
            self._passes_through = input_format == "h264"
            wished = self._video if self._passes_through else self._video.for_software()
            try:
                return self._open_device(self._device, input_format, wished)
            except av.FFmpegError as error:
                refusals.append(f"{input_format}: {error.strerror}")
        raise CameraError(
            f"The camera {self._device} cannot be opened ({'; '.join(refusals)}). Is it plugged in, in use by another "
            f"program, and is this user in the group video? `v4l2-ctl --list-devices` names the cameras."
        )

    def _open_controls(self) -> int | None:
        try:
            return os.open(self._device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return None  # no controls, then: the camera sends keyframes when it likes

    @staticmethod
    def _packets(container: InputContainer, stream: VideoStream, stopping: threading.Event) -> Iterator[Packet[Any]]:
        for packet in container.demux(stream):
            if stopping.is_set():
                return
            if packet.size:
                yield packet

    # The two ways of a picture.

    def _pass_on(self, packets: Iterator[Packet[Any]], stream: VideoStream, deliver: Deliver) -> None:
        sets = ParameterSets()
        self._how = f"{stream.width}x{stream.height}, its own H.264"
        self.set_bitrate(self._video.bitrate_bps)
        for packet in packets:
            unit = sets.complete(bytes(packet), self._times.pts(_stamp_s(packet)))
            if unit is not None:
                self._units.put(unit)
                deliver(unit)

    def _transcode(self, packets: Iterator[Packet[Any]], stream: VideoStream, deliver: Deliver) -> None:
        from av.video.reformatter import ColorRange

        give_way_to_sound()
        given = VideoFormat(
            stream.width & ~1, stream.height & ~1, self._video.frame_rate, self._video.bitrate_bps
        ).for_software()
        encoder = self._encoder = SoftwareEncoder(given)
        self._how = f"{stream.codec_context.name}, encoded again in software as H.264, {given}"
        earliest_s = float("-inf")
        for packet in packets:
            stamp_s = _stamp_s(packet)
            if stamp_s is not None:
                if 0 < earliest_s - stamp_s < 1:
                    continue
                earliest_s = stamp_s + EARLY / given.frame_rate
            for picture in _decode(packet):
                frame = picture.reformat(
                    given.width, given.height, "yuv420p", dst_color_range=ColorRange.MPEG, threads=1
                )
                self._latest.put(frame)
                deliver(encoder.encode(frame, self._times.pts(stamp_s)))
                self._share.picture()


def _decode(packet: Packet[Any]) -> list[VideoFrame]:
    import av
    from av.video.frame import VideoFrame

    try:
        return [picture for picture in packet.decode() if isinstance(picture, VideoFrame)]
    except av.error.InvalidDataError:  # USB cameras cut a picture short now and then, often the first
        log.debug("Skipped a damaged picture of %d bytes", packet.size)
        return []


def _stamp_s(packet: Packet[Any]) -> float | None:
    return float(packet.pts * packet.time_base) if packet.pts is not None else None
