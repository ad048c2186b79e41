"""Decides which pictures a viewer gets: a slow one loses pictures up to a keyframe, a stuck one its place. Pure."""

from __future__ import annotations

BEHIND_S = 1.0
"""Limit of the unsent pictures, as seconds of the camera's bit rate: who is further behind sees the past."""
LEAST_BYTES = 256 * 1024
"""Limit of the unsent bytes at a low bit rate: a large keyframe alone has some two hundred kilobytes."""
KEYFRAME_EVERY_S = 4.0
"""Interval of keyframes for viewers, who cannot ask for one: a recorder cuts its files there, and one that lost
packets sees on."""
STUCK_S = 15.0
"""Time without a byte taken after which a viewer is stuck and is let go."""


class Pace:
    """One viewer's pace."""

    def __init__(self, bitrate_bps: int, now_s: float) -> None:
        self._limit = max(LEAST_BYTES, int(bitrate_bps * BEHIND_S / 8))
        self._keyframe_s = now_s
        self._moved_s = now_s
        self._behind = 0
        self._gap = True
        self._begun = False
        self.left_out = 0
        """Pictures that were left out."""

    def passes(self, *, keyframe: bool, behind: int, now_s: float) -> bool:
        """Return whether a picture is sent to a viewer that has `behind` bytes of the earlier ones to take."""
        self.takes(behind, now_s)
        if self.is_behind(behind) or (self._gap and not keyframe):
            self.left_out += 1 if self._begun else 0
            self._gap = True
            return False
        self._begun = True
        self._gap = False
        if keyframe:
            self._keyframe_s = now_s
        return True

    def is_behind(self, behind: int) -> bool:
        """Return whether a viewer with so many bytes to take is too far behind for more."""
        return behind > self._limit

    def cut_off(self) -> None:
        """Note that a picture was lost on the way: only a keyframe helps."""
        self._gap = True
        self.left_out += 1

    def takes(self, behind: int, now_s: float) -> None:
        """Note how many bytes the viewer has still to take."""
        if behind == 0 or behind < self._behind:
            self._moved_s = now_s
        self._behind = behind

    def is_stuck(self, now_s: float) -> bool:
        """Return whether the viewer takes nothing any more."""
        return self._behind > 0 and now_s - self._moved_s >= STUCK_S

    def wants_keyframe(self, now_s: float) -> bool:
        """Return whether it is time to ask the camera for a keyframe for this viewer; if so, it counts as asked."""
        if self.is_behind(self._behind) or now_s - self._keyframe_s < KEYFRAME_EVERY_S:
            return False
        self._keyframe_s = now_s
        return True
