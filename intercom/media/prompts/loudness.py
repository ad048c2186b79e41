"""Makes sentences equally loud, as ITU-R BS.1770 measures loudness: FFmpeg's meter, which the picture brings along."""

from __future__ import annotations

import fractions
import math

import numpy as np

from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples, ratio, to_samples

LOUDNESS_LUFS = -22.0
"""Loudness of every sentence: beside the door's tones, and with room above it for the peaks of a voice."""
PEAK = 0.95 * FULL_SCALE
"""Limit of a sentence's peak: one that would exceed it stays softer."""
SHORTEST_S = 0.4
"""Length of the meter's first look; it says nothing of a shorter sound."""


def loudness_lufs(sound: Samples) -> float:
    """Return the integrated loudness; -inf for silence and for what is too short to be measured."""
    import av.error
    import av.filter
    from av.audio.frame import AudioFrame

    graph = av.filter.Graph()
    time_base = fractions.Fraction(1, RATE_HZ)
    source = graph.add_abuffer(sample_rate=RATE_HZ, format="s16", layout="mono", time_base=time_base)
    sink = graph.add("abuffersink")
    graph.link_nodes(source, graph.add("ebur128", "metadata=1"), sink).configure()
    frame = AudioFrame.from_ndarray(np.ascontiguousarray(sound).reshape(1, -1), format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, 0, time_base
    source.push(frame)
    source.push(None)
    measured = -math.inf
    while True:
        try:
            measured = float(sink.pull().metadata.get("lavfi.r128.I", measured))
        except (av.error.EOFError, av.error.BlockingIOError):
            return measured if measured > -69.0 else -math.inf  # below its gate the meter says -70


def equally_loud(sound: Samples) -> Samples:
    """Return the sound as loud as every sentence is; one that cannot be measured stays as it is."""
    missing = int(SHORTEST_S * RATE_HZ) - len(sound)
    measured = loudness_lufs(np.concatenate([sound, np.zeros(missing, np.int16)]) if missing > 0 else sound)
    if measured == -math.inf:
        return sound
    gain = min(ratio(LOUDNESS_LUFS - measured), PEAK / max(1.0, float(np.abs(sound.astype(np.float32)).max())))
    return to_samples(sound.astype(np.float32) * np.float32(gain))
