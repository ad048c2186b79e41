"""The figures of a call, and the encoder settings that follow from the far end's reports."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from intercom.media.codec.interface import BITRATE_BPS
from intercom.media.sound.format import ratio

if TYPE_CHECKING:
    from intercom.media.rtp.playout import PlayoutStats
    from intercom.media.sound.engine_stats import EngineStats
    from intercom.media.video.sender import VideoStats


@dataclass(frozen=True, slots=True)
class CallStats:
    """The figures of a call."""

    state: str
    """State of the connection."""
    codec: str
    """Codec that we send: opus, pcmu or pcma."""
    connect_ms: float | None
    """Time from both descriptions to connected."""
    far_end: PlayoutStats | None
    """Playout of the far end's sound; None before the first packet."""
    sent_packets: int
    """Audio packets sent."""
    round_trip_ms: float | None
    """Round trip from the far end's reports."""
    far_loss_percent: float
    """Share of our audio that the far end recently lost."""
    far_reports: int
    """Number of our looks at the statistics that found a new report from the far end."""
    bitrate_bps: int
    """Bit rate of our audio."""
    video: VideoStats | None
    """Figures of the picture; None without one."""
    why_no_video: str
    """Reason why the call has no picture."""


def counters(call: CallStats, engine: EngineStats, silent_s: float) -> dict[str, float]:
    """Return the figures that judge a call's quality: packets so far, the present silence, times in ms, levels 0 to 1.

    The jitter is the jitter buffer's: what nearly all packets keep to, more than RFC 3550's mean. The path's bit rate
    is left out: the picture follows it by itself, and a second hand at that wheel would switch it off for good.
    """
    far_end = call.far_end
    return {
        "audio_packets_received": far_end.received if far_end is not None else 0,
        "audio_packets_lost": far_end.lost if far_end is not None else 0,
        "silent_s": silent_s,
        "jitter_ms": far_end.jitter_ms if far_end is not None else 0.0,
        "reports_received": call.far_reports,
        "round_trip_ms": call.round_trip_ms or 0.0,
        "local_level": ratio(engine.microphone_db),
        "remote_level": ratio(engine.speaker_db),
    }


def mean_loss(before: float, reported: float) -> float:
    """Return the share of our sound that the far end lost lately, by its next report."""
    return 0.7 * before + 0.3 * reported


def audio_bitrate_bps(loss: float, *, repeated: bool = False) -> int:
    """Return our audio's bit rate, 24 to 40 kbit/s: loss needs bits for redundancy, heavy loss fewer bits.

    Where packets are sent again, Opus does without its speech coder, and needs more bits for the same sound.
    """
    if loss >= 0.10:
        return 24_000
    return 40_000 if repeated or loss >= 0.01 else BITRATE_BPS


def expected_loss_percent(loss: float) -> int:
    """Return the loss that Opus should expect: slightly more than measured, never zero."""
    return min(30, max(2, round(loss * 150)))
