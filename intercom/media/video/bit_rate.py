"""Chooses the picture's bit rate from the far end's estimate and its losses; no I/O.

The loss rule is that of draft-ietf-rmcat-gcc-02, section 6. The far end's estimate (REMB) needs care: it is never
much more than what arrives, so after a still picture it is far too low, and it grows by 8 % a second only. An
estimate that falls, though, was measured: the path was full. Only that is believed, and only while we use a good
part of our target; it never takes the picture away, which losses do.
"""

from __future__ import annotations

from collections import deque

FLOOR_BPS = 150_000
"""Least bit rate of the picture: below it the picture is mud, and its bits serve the sound better."""
RETURN_BPS = 300_000
"""Bit rate of a picture that returns: with less room it would be suspended again at once."""
RAISE_PER_S = 1.08
"""Growth of the target per second without loss."""
LOSS_RAISE = 0.02
"""Limit of the loss below which the target grows."""
LOSS_LOWER = 0.10
"""Limit of the loss above which the target falls."""
ESTIMATE_MARGIN = 0.9
"""Share of the estimate that the picture may use: sound, RTCP and retransmissions share the path."""
WINDOW_S = 1.0
"""Window in which the sent bit rate is measured."""
PAUSE_S = 10.0
"""Time that a suspended picture waits before the next try: without a picture there is nothing to measure."""
PAUSE_MAX_S = 80.0
"""Limit of that time, which doubles after each failed try."""
PROVEN_S = 10.0
"""Time that a picture must last for its try to count as a success: the next pause is short again."""


class VideoRate:
    """The bit rate of one sender's picture in bits a second; 0 means no picture, sound only."""

    def __init__(self, highest_bps: int, now_s: float) -> None:
        self._highest_bps = highest_bps
        self._target_bps: float = highest_bps
        self._estimate_bps = 0
        self._sent: deque[tuple[float, int]] = deque()
        self._raised_s = now_s
        self._paused_s: float | None = None
        self._resumed_s = float("-inf")  # the first picture of a call is no second try
        self._pause_s = PAUSE_S

    @property
    def target_bps(self) -> int:
        """The camera's target bit rate; 0 while the picture is off."""
        return 0 if self._paused_s is not None else round(self._target_bps)

    def sent(self, size: int, now_s: float) -> None:
        """Note a sent picture of `size` bytes."""
        self._sent.append((now_s, size))
        self._forget_before(now_s - WINDOW_S)

    def estimated(self, estimate_bps: int, now_s: float) -> None:
        """Take the far end's estimate of the path's capacity."""
        before_bps, self._estimate_bps = self._estimate_bps, estimate_bps
        sending_bps = self._sending_bps(now_s)
        if estimate_bps < before_bps and estimate_bps < sending_bps and sending_bps > self._target_bps / 2:
            self._lower(max(estimate_bps * ESTIMATE_MARGIN, FLOOR_BPS), now_s)

    def lost(self, fraction: float, now_s: float) -> None:
        """Take the fraction of packets (0 to 1) that the far end missed since its last report."""
        if fraction > LOSS_LOWER:
            self._lower(self._target_bps * (1 - fraction / 2), now_s)
        elif fraction < LOSS_RAISE and self._paused_s is None:
            elapsed_s = min(now_s - self._raised_s, WINDOW_S)
            self._target_bps = min(self._highest_bps, self._target_bps * RAISE_PER_S**elapsed_s)
            self._raised_s = now_s

    def may_return(self, now_s: float) -> bool:
        """Return whether a suspended picture may be tried again now, and resume it if so."""
        if self._paused_s is None or now_s - self._paused_s < self._pause_s:
            return False
        self._paused_s = None
        self._resumed_s = self._raised_s = now_s
        self._target_bps = min(RETURN_BPS, self._highest_bps)
        self._sent.clear()
        return True

    def _lower(self, target_bps: float, now_s: float) -> None:
        if self._paused_s is not None:
            return
        self._target_bps = min(self._target_bps, target_bps)
        self._raised_s = now_s
        if self._target_bps < FLOOR_BPS:
            lived_s = now_s - self._resumed_s
            self._pause_s = PAUSE_S if lived_s >= PROVEN_S else min(self._pause_s * 2, PAUSE_MAX_S)
            self._paused_s = now_s

    def _sending_bps(self, now_s: float) -> float:
        self._forget_before(now_s - WINDOW_S)
        return sum(size for _, size in self._sent) * 8 / WINDOW_S

    def _forget_before(self, moment_s: float) -> None:
        while self._sent and self._sent[0][0] < moment_s:
            self._sent.popleft()
