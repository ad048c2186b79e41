"""How many bits a second the picture may take: the far end's estimate and its losses in, a target out. No I/O.

The loss rule is that of draft-ietf-rmcat-gcc-02, section 6. The far end's estimate (REMB) needs care: it is never
much more than what arrives, so after a still picture it is far too low, and it grows by 8 % a second only. An
estimate that falls, though, was measured: the path was full. Only that is believed, and only while we use a good
part of our target; it never takes the picture away, which losses do.
"""

from __future__ import annotations

from collections import deque

FLOOR_BPS = 150_000  # below this the picture is mud, and its bits are better spent on the sound
RETURN_BPS = 300_000  # a picture that comes back starts with this much room, else it would go again at once
RAISE_PER_S = 1.08
LOSS_RAISE = 0.02
LOSS_LOWER = 0.10
ESTIMATE_MARGIN = 0.9  # sound, RTCP and retransmissions share the path
WINDOW_S = 1.0
PAUSE_S = 10.0  # without a picture there is nothing to measure: wait, then try
PAUSE_MAX_S = 80.0
PROVEN_S = 10.0  # a picture that lived this long was worth the try: the next pause is short again


class VideoRate:
    """The target of one sender, in bits a second; 0 means no picture, sound only."""

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
        """What the camera should aim at; 0 while the picture is off."""
        return 0 if self._paused_s is not None else round(self._target_bps)

    def sent(self, size: int, now_s: float) -> None:
        """Note a picture of `size` bytes that was sent."""
        self._sent.append((now_s, size))
        self._forget_before(now_s - WINDOW_S)

    def estimated(self, estimate_bps: int, now_s: float) -> None:
        """Take the far end's estimate of what the path carries."""
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
        """Whether a picture that was off may be tried again now; if so, it is on."""
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
