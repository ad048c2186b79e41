"""Loads prompts and chimes from sound files."""

from __future__ import annotations

import math
from pathlib import Path

from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples, to_samples


def load_sound(path: Path, *, longest_s: float = math.inf) -> Samples:
    """Return a WAV, OGG, FLAC or MP3 file as mono S16 at 48 kHz; OSError or ValueError say why not."""
    import soundfile  # here, because a door with generated tones does not spend 0.1 s on it

    try:
        if (long_s := soundfile.info(str(path)).duration) > longest_s:
            raise ValueError(f"{path} lasts {long_s:.0f} s: at most {longest_s:g} s are played")
        wave_data, rate = soundfile.read(str(path), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise ValueError(f"{path} cannot be played: {error}") from error
    mono = wave_data.mean(axis=1)
    if rate != RATE_HZ:
        import soxr

        mono = soxr.resample(mono, rate, RATE_HZ)
    return to_samples(mono * FULL_SCALE)
