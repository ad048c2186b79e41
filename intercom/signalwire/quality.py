"""How good a call is: what its media counts, the mean opinion score, and when something is wrong.

R = 93.2 - (rtt/2 + jitter) · 0.024 - loss% · 2.5; MOS = 1 + 0.035R + R(R-60)(100-R) · 7e-6 (protocol.md §6, after
ITU-T G.107). No I/O; time is a parameter.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from msgspec import Struct

# Sound stops for a breath, not for two seconds (protocol.md §6).
NO_PACKETS_S = 2.0
# A network that has just changed makes a shorter silence suspicious; with DTX a packet comes every 0.4 s.
SUSPICIOUS_S = 0.9
# Browsers and aiortc report every second or so; RFC 3550 allows five.
REPORTS_S = 6.0
LOSS_WARNING_PERCENT = 5.0
LOSS_CRITICAL_PERCENT = 10.0
# Against the best of the first samples; the network is what it is, its getting worse is what counts.
BASELINE_SAMPLES = 10
RTT_SPIKE = 3.0
JITTER_SPIKE = 4.0
HISTORY_SAMPLES = 30

LEVELS = ((4.0, "excellent"), (3.5, "good"), (3.0, "fair"), (2.0, "poor"))


class MediaCounters(Struct, frozen=True):
    """What a `MeasuredMedia` tells: totals since the call's start, and what is measured now."""

    audio_packets_received: int = 0
    audio_packets_lost: int = 0
    video_packets_received: int = 0
    video_packets_lost: int = 0
    jitter_ms: float = 0.0
    """Of the sound (RFC 3550, section 6.4.1)."""
    round_trip_ms: float = 0.0
    reports_received: int | None = None
    """How often the far end has reported what it hears of us (RFC 3550, section 6.4.2); None: nobody counts."""
    outgoing_bitrate_bps: float | None = None
    """What the way to the far end is thought to carry; None: nobody knows."""
    local_level: float = 0.0
    """Of our sound, 0 to 1."""
    remote_level: float = 0.0
    """Of the far end's sound, 0 to 1."""


@dataclass(frozen=True)
class NetworkMetrics:
    """One look at the network."""

    at_s: float
    """When, on the caller's clock."""
    round_trip_ms: float
    jitter_ms: float
    loss_percent: float
    """Of what came since the last look."""
    mos: float
    """Mean opinion score, 1 to 4.5."""
    outgoing_bitrate_bps: float | None
    """As the media tells."""


@dataclass(frozen=True)
class NetworkIssue:
    """Something is wrong with the network."""

    kind: str
    """"no_inbound_audio", "packet_loss", "rtt_spike" or "jitter_spike"."""
    severity: str
    """"warning" or "critical"."""


def mos(round_trip_ms: float, jitter_ms: float, loss_percent: float) -> float:
    """The mean opinion score, 1 to 4.5."""
    r = 93.2 - (round_trip_ms / 2 + jitter_ms) * 0.024 - loss_percent * 2.5
    r = min(max(r, 0.0), 100.0)
    return min(max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0), 4.5)


def level(score: float) -> str:
    """The score in a word: excellent, good, fair, poor, critical."""
    return next((name for threshold, name in LEVELS if score >= threshold), "critical")


class SoundWatch:
    """How long the far end has been silent on the wire, and whether it is there at all."""

    def __init__(self) -> None:
        self._packets = 0
        self._reports: int | None = None
        self._packet_at: float | None = None
        self._report_at = 0.0
        self.arriving = False
        """Whether sound came in since the look before."""

    def look(self, counters: MediaCounters, now: float) -> None:
        """Take the counters of this moment."""
        self.arriving = counters.audio_packets_received not in {0, self._packets}  # a new stream is counted anew
        if self.arriving:
            self._packet_at = now
        if counters.reports_received != self._reports:
            self._report_at = now
        self._packets, self._reports = counters.audio_packets_received, counters.reports_received

    def silent_s(self, now: float) -> float:
        """Since the last packet of sound; 0 before the first: a far end that never sent sound may send none."""
        return now - self._packet_at if self._packet_at is not None else 0.0

    def excuse(self, now: float) -> None:
        """Nothing need come at this moment: silence is counted from here."""
        if self._packet_at is not None:
            self._packet_at = now

    def is_alive(self, now: float) -> bool:
        """Whether the far end reports what it hears, or nobody counts that."""
        return self._reports is None or now - self._report_at <= REPORTS_S


class QualityMonitor:
    """Turns counters into metrics and issues."""

    def __init__(self) -> None:
        self.history: deque[NetworkMetrics] = deque(maxlen=HISTORY_SAMPLES)
        self.issues: tuple[NetworkIssue, ...] = ()
        self._last = MediaCounters()
        self._last_audio_at: float | None = None
        self._round_trips: list[float] = []
        self._jitters: list[float] = []

    def look(self, counters: MediaCounters, now: float, *, may_be_silent: bool = False) -> NetworkMetrics:
        """Take the counters of this moment; `may_be_silent` while one end holds the other."""
        received = self._since("audio_packets_received", counters) + self._since("video_packets_received", counters)
        lost = self._since("audio_packets_lost", counters) + self._since("video_packets_lost", counters)
        loss = 100.0 * lost / (received + lost) if received + lost else 0.0
        score = mos(counters.round_trip_ms, counters.jitter_ms, loss)
        metrics = NetworkMetrics(
            now, counters.round_trip_ms, counters.jitter_ms, loss, score, counters.outgoing_bitrate_bps
        )
        # A far end that never sent sound may send none; only sound that stops is a fault.
        if self._since("audio_packets_received", counters) or (may_be_silent and self._last_audio_at is not None):
            self._last_audio_at = now
        silent_s = now - self._last_audio_at if self._last_audio_at is not None else 0.0
        self.issues = tuple(self._find_issues(metrics, silent_s))
        self.history.append(metrics)
        self._last = counters
        return metrics

    def _since(self, name: str, counters: MediaCounters) -> int:
        return max(0, int(getattr(counters, name)) - int(getattr(self._last, name)))

    def _find_issues(self, metrics: NetworkMetrics, silent_s: float) -> list[NetworkIssue]:
        issues = []
        if silent_s >= NO_PACKETS_S:
            issues.append(NetworkIssue("no_inbound_audio", "critical"))
        if metrics.loss_percent > LOSS_WARNING_PERCENT:
            severity = "critical" if metrics.loss_percent > LOSS_CRITICAL_PERCENT else "warning"
            issues.append(NetworkIssue("packet_loss", severity))
        if _spikes(metrics.round_trip_ms, self._round_trips, RTT_SPIKE):
            issues.append(NetworkIssue("rtt_spike", "warning"))
        if _spikes(metrics.jitter_ms, self._jitters, JITTER_SPIKE):
            issues.append(NetworkIssue("jitter_spike", "warning"))
        return issues


def _spikes(value: float, baseline: list[float], factor: float) -> bool:
    if len(baseline) < BASELINE_SAMPLES:
        baseline.append(value)
        return False
    usual = sum(baseline) / len(baseline)
    return usual > 0 and value > usual * factor
