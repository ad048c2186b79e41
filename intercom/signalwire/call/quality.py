"""Measures a call's quality: media counters, the mean opinion score, and network issues.

R = 93.2 - (rtt/2 + jitter) · 0.024 - loss% · 2.5; MOS = 1 + 0.035R + R(R-60)(100-R) · 7e-6 (protocol.md §6, after
ITU-T G.107). No I/O; time is a parameter.
"""

from __future__ import annotations

from collections import deque

import msgspec
from msgspec import Struct

NO_PACKETS_S = 2.0
"""Silence on the wire after which inbound audio counts as lost (protocol.md §6)."""
SUSPICIOUS_S = 0.9
"""The same soon after a network change; with DTX a packet comes every 0.4 s."""
REPORTS_S = 6.0
"""Time without reports after which a far end counts as gone: browsers report every second, RFC 3550 allows five."""
LOSS_WARNING_PERCENT = 5.0
LOSS_CRITICAL_PERCENT = 10.0
BASELINE_SAMPLES = 10
"""Number of first samples whose best value is the baseline for spikes: only a change for the worse counts."""
RTT_SPIKE = 3.0
JITTER_SPIKE = 4.0
HISTORY_SAMPLES = 30

LEVELS = ((4.0, "excellent"), (3.5, "good"), (3.0, "fair"), (2.0, "poor"))


class MediaCounters(Struct, frozen=True):
    """The counters of a `MeasuredMedia`: totals since the call's start, and present measurements."""

    audio_packets_received: int = 0
    audio_packets_lost: int = 0
    video_packets_received: int = 0
    video_packets_lost: int = 0
    silent_s: float = 0.0
    """Seconds since the last audio packet; 0 while none is expected, and before the first: a far end may send none."""
    jitter_ms: float = 0.0
    """Jitter of the audio (RFC 3550, section 6.4.1)."""
    round_trip_ms: float = 0.0
    reports_received: int | None = None
    """Number of reception reports from the far end (RFC 3550, section 6.4.2); None: nobody counts them."""
    outgoing_bitrate_bps: float | None = None
    """Estimated bandwidth to the far end; None: unknown."""
    local_level: float = 0.0
    """Level of our audio, 0 to 1."""
    remote_level: float = 0.0
    """Level of the far end's audio, 0 to 1."""


class NetworkMetrics(msgspec.Struct, frozen=True):
    """One measurement of the network."""

    at_s: float
    """Time of the measurement, on the caller's clock."""
    round_trip_ms: float
    jitter_ms: float
    loss_percent: float
    """Packet loss since the last measurement."""
    mos: float
    """Mean opinion score, 1 to 4.5."""
    outgoing_bitrate_bps: float | None
    """Estimated bandwidth to the far end, from the media."""


class NetworkIssue(msgspec.Struct, frozen=True):
    """A network issue."""

    kind: str
    """Kind of issue: "no_inbound_audio", "packet_loss", "rtt_spike" or "jitter_spike"."""
    severity: str
    """Severity: "warning" or "critical"."""


def mos(round_trip_ms: float, jitter_ms: float, loss_percent: float) -> float:
    """Return the mean opinion score, 1 to 4.5."""
    r = 93.2 - (round_trip_ms / 2 + jitter_ms) * 0.024 - loss_percent * 2.5
    r = min(max(r, 0.0), 100.0)
    return min(max(1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6, 1.0), 4.5)


def level(score: float) -> str:
    """Return the score in a word: excellent, good, fair, poor, critical."""
    return next((name for threshold, name in LEVELS if score >= threshold), "critical")


class SoundWatch:
    """Tells from the media's counters whether sound arrives, and whether the far end is alive."""

    def __init__(self) -> None:
        self._packets = 0
        self._reports: int | None = None
        self._report_at = 0.0
        self.arriving = False
        """Whether audio arrived since the measurement before."""
        self.silent_s = 0.0
        """Length of the silence, as the media measured it."""
        self.heard = False
        """Whether audio ever arrived."""

    def look(self, counters: MediaCounters, now: float) -> None:
        """Take the counters of this moment."""
        self.arriving = counters.audio_packets_received not in {0, self._packets}  # a new stream is counted anew
        self.heard = self.heard or self.arriving
        self.silent_s = counters.silent_s
        if counters.reports_received != self._reports:
            self._report_at = now
        self._packets, self._reports = counters.audio_packets_received, counters.reports_received

    def is_alive(self, now: float) -> bool:
        """Return whether the far end sends reception reports; true if nobody counts them."""
        return self._reports is None or now - self._report_at <= REPORTS_S

    def has_reported_since(self, then: float) -> bool:
        """Return whether the far end sent a reception report after `then`; true if nobody counts them."""
        return self._reports is None or self._report_at > then


class QualityMonitor:
    """Turns counters into metrics and issues."""

    def __init__(self) -> None:
        self.history: deque[NetworkMetrics] = deque(maxlen=HISTORY_SAMPLES)
        self.issues: tuple[NetworkIssue, ...] = ()
        self._last = MediaCounters()
        self._round_trips: list[float] = []
        self._jitters: list[float] = []

    def look(self, counters: MediaCounters, now: float) -> NetworkMetrics:
        """Take the counters of this moment."""
        received = self._since("audio_packets_received", counters) + self._since("video_packets_received", counters)
        lost = self._since("audio_packets_lost", counters) + self._since("video_packets_lost", counters)
        loss = 100.0 * lost / (received + lost) if received + lost else 0.0
        score = mos(counters.round_trip_ms, counters.jitter_ms, loss)
        metrics = NetworkMetrics(
            now, counters.round_trip_ms, counters.jitter_ms, loss, score, counters.outgoing_bitrate_bps
        )
        self.issues = tuple(self._find_issues(metrics, counters.silent_s))
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
