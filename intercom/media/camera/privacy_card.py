"""The still card that the far end sees while the camera is forbidden: a crossed-out eye, never an old picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intercom.media.camera.encoder import SoftwareEncoder, VideoFormat
from intercom.media.camera.source import VideoClock
from intercom.media.codec.h264 import AccessUnit

CARD = VideoFormat(640, 360, 2, 100_000)
"""Format of the card, two IDR pictures of 3 KB a second: a far end that joins waits at most half a second."""
CARD_INTERVAL_S = 1 / CARD.frame_rate
"""Interval between two pictures of the card."""
_GROUND_Y, _LINE_Y, _GREY_UV = 44, 190, 128
"""Colours of the card in limited range (ITU-R BT.601)."""


class CameraCard:
    """Makes the card's pictures, each of them an IDR."""

    def __init__(self) -> None:
        self._times = VideoClock()
        self._encoder = SoftwareEncoder(CARD)
        self._luma = _crossed_out_eye(CARD.width, CARD.height)

    def picture(self) -> AccessUnit:
        """Return the card as an IDR picture with the current time."""
        from av import VideoFrame  # heavy: only once there is something to encode; of the package, as in the pattern

        frame = VideoFrame(CARD.width, CARD.height, "yuv420p")
        luma, *colours = frame.planes
        padded = np.full((CARD.height, luma.line_size), _GROUND_Y, np.uint8)
        padded[:, : CARD.width] = self._luma
        luma.update(padded.tobytes())
        for plane in colours:
            plane.update(bytes([_GREY_UV]) * plane.buffer_size)
        self._encoder.request_keyframe()
        return self._encoder.encode(frame, self._times.pts())


def _crossed_out_eye(width: int, height: int) -> NDArray[np.uint8]:
    """Draw the crossed-out eye: two arcs for the lids, a disc for the pupil, a bar from corner to corner."""
    unit = height / 18  # the width of the strokes is half of it
    x, y = np.meshgrid((np.arange(width) - width / 2) / unit, (np.arange(height) - height / 2) / unit)
    bow = 5.0  # each lid is an arc of this radius, whose centre lies so far from the middle
    lids = np.maximum(np.hypot(x, y - 2.4), np.hypot(x, y + 2.4)) - bow
    along, across = (x - y) / np.sqrt(2), (x + y) / np.sqrt(2)
    bar = (np.abs(across) < 0.3) & (np.abs(along) < 5.2)
    gap = (np.abs(across) < 0.75) & (np.abs(along) < 5.2)
    drawn = ((np.abs(lids) < 0.3) | (np.hypot(x, y) < 1.2)) & ~gap | bar
    return np.where(drawn, _LINE_Y, _GROUND_Y).astype(np.uint8)
