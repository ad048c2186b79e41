"""What the audio engine tells of itself."""

from __future__ import annotations

import msgspec


class EngineStats(msgspec.Struct, frozen=True):
    """Figures of the engine; all counts since it started."""

    card: str
    """Description of the card in use."""
    running: bool
    """Whether a PCM runs now."""
    capture_xruns: int
    """Overruns of the microphone."""
    playback_xruns: int
    """Underruns of the speaker."""
    microphone_db: float
    """Level of the last captured block, dB full scale."""
    speaker_db: float
    """Level of the last played block, dB full scale."""
    real_time: bool
    """Whether the thread has real-time priority."""
