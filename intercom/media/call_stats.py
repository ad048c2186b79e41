"""How a call does, and what our sound makes of what the far end reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intercom.media.codec import BITRATE_BPS
from intercom.media.sound import ratio

if TYPE_CHECKING:
    from intercom.media.engine import EngineStats
    from intercom.media.playout import PlayoutStats
    from intercom.media.video_sender import VideoStats


@dataclass(frozen=True, slots=True)
class CallStats:
    """How a call does."""

    state: str
    """Of the connection."""
    codec: str
    """What is sent: opus, pcmu or pcma."""
    connect_ms: float | None
    """From both descriptions to connected."""
    far_end: PlayoutStats | None
    """What arrives; None before the first packet."""
    sent_packets: int
    """Audio packets sent."""
    round_trip_ms: float | None
    """As the far end's reports show it."""
    far_loss_percent: float
    """What the far end lost of our audio lately."""
    far_reports: int
    """How often the far end told, of those seconds in which we looked."""
    bitrate_bps: int
    """Of our audio."""
    video: VideoStats | None
    """The picture; None without one."""
    why_no_video: str
    """Why there is none."""


def counters(call: CallStats, engine: EngineStats) -> dict[str, float]:
    """What the quality of a call is told by: packets so far, times in ms, levels 0 to 1.

    The jitter is the jitter buffer's: what nearly all packets keep to, more than RFC 3550's mean. The path's bit rate
    is left out: the picture follows it by itself, and a second hand at that wheel would switch it off for good.
    """
    far_end = call.far_end
    return {
        "audio_packets_received": far_end.received if far_end is not None else 0,
        "audio_packets_lost": far_end.lost if far_end is not None else 0,
        "jitter_ms": far_end.jitter_ms if far_end is not None else 0.0,
        "reports_received": call.far_reports,
        "round_trip_ms": call.round_trip_ms or 0.0,
        "local_level": ratio(engine.microphone_db),
        "remote_level": ratio(engine.speaker_db),
    }


def audio_bitrate_bps(loss: float) -> int:
    """24 to 40 kbit/s: redundancy takes its share of the bits, and a path that loses much is narrow."""
    if loss < 0.01:
        return BITRATE_BPS
    return 40_000 if loss < 0.10 else 24_000


def expected_loss_percent(loss: float) -> int:
    """What Opus is told to be ready for: a little more than is measured, never nothing."""
    return min(30, max(2, round(loss * 150)))
