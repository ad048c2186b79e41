"""Recorded speech: the prompts of Debian's `asterisk-core-sounds-en-g722`, spoken by a person, at 16 kHz."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import soxr

from bench.report import CannotRunError
from intercom.media.sound.format import RATE_HZ, Samples, level_db, ratio, to_samples

FOLDER = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
RECORDED_HZ = 16_000
FAR_PROMPTS = ("demo-congrats", "demo-abouttotry", "demo-moreinfo", "vm-options")
NEAR_PROMPTS = ("conf-usermenu", "dir-intro", "priv-callee-options", "demo-echotest")
"""Other sentences than the far end's."""


def prompt(name: str) -> Samples:
    """One prompt as mono S16 at 48 kHz; CannotRunError says what to install."""
    path = FOLDER / f"{name}.g722"
    if not path.exists():
        raise CannotRunError(f"no recorded speech at {path}: `./setup.sh --bench`")
    with av.open(str(path), format="g722") as container:
        frames = [frame.to_ndarray().reshape(-1) for frame in container.decode(audio=0)]
    return np.asarray(soxr.resample(np.concatenate(frames), RECORDED_HZ, RATE_HZ), np.int16)


def speech(seconds: float, prompts: tuple[str, ...] = FAR_PROMPTS, *, at_db: float = -22.0) -> Samples:
    """So much of these prompts, one after another and over again, at this level in dB full scale."""
    spoken = np.concatenate([prompt(name) for name in prompts])
    wanted = np.resize(spoken, int(seconds * RATE_HZ))
    return to_samples(wanted * np.float32(ratio(at_db - level_db(wanted))))
