"""The jitter target: finds how long the packets of one stream are to be waited for; pure, time is a parameter.

It grows at once and shrinks slowly. A single packet that is late or lost does not change it: its delay is soon worked
off, and most of them stay alone.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque

from intercom.media.sound.format import SPARE_S

MARGIN_S = 0.002
"""Margin of the jitter target: both ends' threads may be 2 ms late."""
LONGEST_TARGET_S = 0.200
"""Limit of the jitter target: beyond this delay people talk over one another, so a lost packet is better."""
QUANTILE = 0.97
"""Share of packets that the jitter target waits for: concealing the rest costs the ear less than the longest delay."""
MEASURE_EVERY = 5
"""Packets between two measurements of the jitter, unless one is later than usual."""
WINDOW_S = 2.0
"""Time for which a packet's delay is remembered."""
SHRINK_S_PER_S = 0.040
"""Rate at which the jitter target shrinks; the playout follows at once in pauses, and half as fast by its speed in
speech."""
LOSS_WINDOW_S = 4.0
"""Time in which two losses make the target wait one frame longer for the next packet's redundancy."""
ONE_LOSS_S = 0.2
"""Time in which losses count as one: a burst."""
REPAIRS_WINDOW_S = 10.0
"""Time without redundancy after which the far end is taken to send none: even a slow talker's pause is shorter."""
FLOOR_HALF_S = 5.0
"""Time after which the floor's older half is dropped: the least transit of 5 to 10 s follows a drifting clock."""
BUNCH_S = 0.004
"""Interval below which packets count as one measurement, held up together: a single stall must not raise the target."""
LONG_AGO = -1e9


class JitterTarget:
    """Measures the packets' delays and keeps the target; times in s, of one monotonic clock."""

    def __init__(self) -> None:
        self.delay_s = MARGIN_S
        """Jitter target: the delay aimed at, beyond the network's floor."""
        self.jitter_s = 0.0
        """Delay that nearly all recent packets kept to."""
        self.is_spared = False
        """Whether the speaker's queue can spare the time for which a late packet is waited for."""
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget the stream's clock and its packets."""
        self._delays: deque[tuple[float, float]] = deque()
        self._ordered: list[float] = []
        """The same delays, the least first."""
        self._floors: deque[tuple[float, float]] = deque(maxlen=2)
        self.floor_s = 0.0
        """The network's floor: the least transit of the last seconds."""
        self._frame_s = 0.0
        self._measured = 0
        self._losses: deque[float] = deque([LONG_AGO, LONG_AGO], maxlen=2)
        self._last_put = self._last_repairing = LONG_AGO

    def arrived(self, sent_s: float, frame_s: float, now: float, *, repairs: bool) -> None:
        """Measure a packet with `frame_s` of sound from `sent_s` on; `repairs`: it also holds sound before it."""
        self._frame_s = frame_s
        if repairs:
            self._last_repairing = now
        transit = now - sent_s
        if not self._floors or now - self._floors[-1][0] > FLOOR_HALF_S:
            self._floors.append((now, transit))
            self.floor_s = min(self._floors[0][1], transit)
        elif transit < self._floors[-1][1]:
            self._floors[-1] = (self._floors[-1][0], transit)
            self.floor_s = min(self._floors[0][1], transit)
        if now - self._last_put > BUNCH_S:
            self._delays.append((now, transit - self.floor_s))
            insort(self._ordered, transit - self.floor_s)
        while len(self._delays) > 1 and now - self._delays[0][0] > WINDOW_S:
            del self._ordered[bisect_left(self._ordered, self._delays.popleft()[1])]
        self._measured += 1
        if self._measured % MEASURE_EVERY == 0 or self._delays[-1][1] > self.jitter_s:
            self.jitter_s = self._ordered[int(QUANTILE * (len(self._ordered) - 1))]
        slower = self.delay_s - SHRINK_S_PER_S * max(0.0, min(now - self._last_put, WINDOW_S))
        self.delay_s = max(self._wanted_s(now), slower)
        self._last_put = now

    def lost(self, now: float) -> None:
        """Note that a packet is missing when it is asked for."""
        if now - self._losses[-1] > ONE_LOSS_S:
            self._losses.append(now)
            self.delay_s = max(self.delay_s, self._wanted_s(now))

    def _wanted_s(self, now: float) -> float:
        wanted = max(MARGIN_S, self.jitter_s - SPARE_S) if self.is_spared else self.jitter_s + MARGIN_S
        if now - self._losses[0] < LOSS_WINDOW_S and now - self._last_repairing < REPAIRS_WINDOW_S:
            wanted = max(wanted, self._frame_s + MARGIN_S)
        return min(wanted, LONGEST_TARGET_S)
