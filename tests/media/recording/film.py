"""A recorded film without a recorder: pictures and a tone as a door encodes them, and what a player makes of it."""

from __future__ import annotations

import io
from functools import cache
from typing import NamedTuple

import av
import numpy as np

from intercom.media.camera.encoder import SoftwareEncoder, VideoFormat
from intercom.media.codec.h264 import AccessUnit
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.recording.mp4 import Sample, fragment, header, in_file, parameter_sets

RATE = 15
FRAME_TICKS = 90_000 // RATE
PACKETS = 50
"""Packets of sound in a second."""


@cache
def pictures(count: int, width: int = 160, height: int = 90) -> tuple[AccessUnit, ...]:
    """Pictures that grow lighter, as a camera's encoder delivers them."""
    encoder = SoftwareEncoder(VideoFormat(width, height, RATE, 200_000))
    units = []
    for number in range(count):
        grey = np.full((height, width, 3), 40 + number % 160, np.uint8)
        frame = av.VideoFrame.from_ndarray(grey, format="rgb24").reformat(format="yuv420p")
        units.append(encoder.encode(frame, number * FRAME_TICKS))
    return tuple(units)


@cache
def packets(count: int) -> tuple[bytes, ...]:
    """A tone of 440 Hz as Opus, 20 ms each."""
    encoder = OpusEncoder()
    at = np.arange(FRAME_SAMPLES * count) / 48_000
    wave = (np.sin(2 * np.pi * 440 * at) * 8000).astype(np.int16)
    return tuple(encoder.encode(wave[i : i + FRAME_SAMPLES]) for i in range(0, len(wave), FRAME_SAMPLES))


@cache
def film(seconds: int, *, picture: bool = True) -> tuple[bytes, ...]:
    """The header, and a fragment for each second."""
    units = pictures(seconds * RATE) if picture else ()
    parts = [header(parameter_sets(units[0].data) if units else None)]
    for second in range(seconds):
        sounds = [Sample(data, FRAME_SAMPLES) for data in packets(seconds * PACKETS)[second * PACKETS :][:PACKETS]]
        shown = [Sample(in_file(unit.data), FRAME_TICKS, unit.keyframe) for unit in units[second * RATE :][:RATE]]
        parts.append(fragment(second + 1, second * 48_000, sounds, second * 90_000, shown))
    return tuple(parts)


class Played(NamedTuple):
    """What a player makes of a file."""

    pictures: list[float]
    """Time of each picture, seconds."""
    sound_s: float
    """Length of the sound."""
    greys: list[float]
    """Mean lightness of each picture."""


def played(data: bytes) -> Played:
    """Decode a file as far as it goes."""
    shown, greys, samples = [], [], 0
    with av.open(io.BytesIO(data)) as container:
        try:
            for frame in container.decode():
                if isinstance(frame, av.VideoFrame):
                    shown.append(float(frame.time or 0))
                    greys.append(float(frame.to_ndarray(format="gray").mean()))
                else:
                    assert isinstance(frame, av.AudioFrame)
                    samples += frame.samples
        except av.error.FFmpegError:
            pass  # it ends in the middle of a packet
    return Played(shown, samples / 48_000, greys)
