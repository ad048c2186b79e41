"""The quality of a call's sound, as the call log, the status and the figures give it."""

from __future__ import annotations

from intercom.media.rtp.call_stats import CallStats
from intercom.signalwire.call.quality import mos


def heard(stats: CallStats | None) -> tuple[float, float] | None:
    """Return mean opinion score and lost percentage of the far end's sound; None before any arrived."""
    if stats is None or stats.far_end is None or stats.far_end.received == 0:
        return None
    far = stats.far_end
    lost = max(0, far.lost - far.recovered)
    percent = 100.0 * lost / (far.received + lost)
    return round(mos(stats.round_trip_ms or 0.0, far.jitter_ms, percent), 2), round(percent, 2)
