"""Decides which pictures a viewer's path carries, so that one on a slow path disturbs nobody else. Pure."""

from __future__ import annotations

from intercom.media.video.bit_rate import VideoRate

CREDIT_S = 1.0
"""Limit of the bits that a viewer saves up, as seconds of its rate: a keyframe is ten times a normal picture."""


class Thinning:
    """One viewer's pictures: all of them, or up to its path's rate, beginning again with a keyframe after each gap.

    A call lowers the camera's bit rate for its far end's sake; a viewer may not, as the others share the encoder.
    """

    def __init__(self, highest_bps: int, now_s: float) -> None:
        self.rate = VideoRate(highest_bps, now_s)
        """Bit rate that the path carries; it takes the far end's reports."""
        self._highest_bps = highest_bps
        self._credit: float = 0.0
        self._counted_s = now_s
        self._gap = False

    @property
    def waits_for_keyframe(self) -> bool:
        """Whether a picture was left out and the path has room again, so that only a keyframe helps."""
        return self._gap and self._credit > 0

    def passes(self, size: int, now_s: float, *, keyframe: bool) -> bool:
        """Return whether a picture of `size` bytes is sent, and count it."""
        self.rate.may_return(now_s)
        target_bps = self.rate.target_bps
        elapsed_s, self._counted_s = now_s - self._counted_s, now_s
        self._credit = min(self._credit + target_bps * elapsed_s, target_bps * CREDIT_S)
        has_room = target_bps > 0 and (target_bps >= self._highest_bps or self._credit > 0)
        if not has_room or (self._gap and not keyframe):
            self._gap = True
            return False
        self._gap = False
        self._credit -= size * 8
        self.rate.sent(size, now_s)
        return True
