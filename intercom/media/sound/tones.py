"""The door's own sounds, generated, or loaded from files that replace them.

Ring-back, busy and reorder have the European cadence (ITU-T E.180): 425 Hz; 1 s on, 4 s off; 0.5 s on, 0.5 s off;
0.25 s on, 0.25 s off. A street is loud, so they are rich in harmonics that a small speaker can play.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from intercom.config.prompts import PROMPTS
from intercom.languages import LANGUAGES
from intercom.media.errors import ToneError
from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples
from intercom.media.sound.sound_file import load_sound

log = logging.getLogger(__name__)

LEVEL = 0.35
"""Peak level as a share of full scale: it leaves room for a voice in the mix."""
FADE_S = 0.005
"""Length of a fade: long enough that no click is heard at either end."""

Wave = npt.NDArray[np.float64]


def _silence(seconds: float) -> Wave:
    return np.zeros(int(seconds * RATE_HZ))


def _time(seconds: float) -> Wave:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def _beep(seconds: float, *hz: float) -> Wave:
    at = _time(seconds)
    wave = sum((np.sin(2 * np.pi * f * at) for f in hz), np.zeros_like(at)) / len(hz)
    fade = np.minimum(1, np.minimum(at, at[-1] - at) / FADE_S)
    return np.asarray(wave * fade)


def _bell(seconds: float, hz: float) -> Wave:
    """Return the sound of a struck bar: partials that decay, the higher the sooner."""
    at = _time(seconds)
    partials = ((1.0, 1.0, 3.0), (2.76, 0.35, 6.0), (5.40, 0.12, 12.0))
    wave = sum(
        (level * np.sin(2 * np.pi * hz * ratio * at) * np.exp(-decay * at) for ratio, level, decay in partials),
        np.zeros_like(at),
    )
    return np.asarray(wave * np.minimum(1, at / 0.001) * np.minimum(1, (at[-1] - at) / 0.02) / 1.47)


def _chime() -> Wave:
    high, low = _bell(1.3, 659.26), _bell(1.3, 523.25)
    wave = np.zeros(int(1.75 * RATE_HZ))
    wave[: len(high)] += high
    wave[int(0.45 * RATE_HZ) :][: len(low)] += low
    return wave / 1.3


def _ringback() -> Wave:
    return _beep(1.0, 425.0, 850.0)


def _busy() -> Wave:
    return _beep(0.5, 425.0, 850.0)


def _reorder() -> Wave:
    return _beep(0.25, 425.0, 850.0)


def _door_open() -> Wave:
    return np.concatenate([_beep(0.12, 784.0), _beep(0.12, 988.0), _beep(0.25, 1175.0)])


def _call_ending() -> Wave:
    return np.concatenate([_beep(0.15, 1400.0), _silence(0.15), _beep(0.15, 1400.0)])


def _error() -> Wave:
    return np.concatenate([_beep(0.25, 330.0, 660.0), _silence(0.05), _beep(0.4, 247.0, 494.0)])


def _incoming() -> Wave:
    return np.concatenate([_beep(0.05, 880.0), _beep(0.05, 1109.0)] * 8)


def _no_sound() -> Wave:
    return np.concatenate([_beep(0.12, 620.0), _silence(0.06), _beep(0.12, 465.0)]) * 0.5


def _message() -> Wave:
    """Return two rising notes and a long beep, after which whoever left a message before knows to speak."""
    return np.concatenate([_beep(0.15, 523.0), _beep(0.15, 784.0), _silence(0.2), _beep(0.7, 1000.0)])


def _mending() -> Wave:
    """Return a soft tone, which may last most of a minute; twice in a row, so that it is no machine's click."""
    return np.concatenate([_beep(0.1, 523.0), _silence(0.1), _beep(0.1, 523.0)]) * 0.5


GENERATED: Mapping[str, Callable[[], Wave]] = {
    "chime": _chime,
    "ringback": _ringback,
    "busy": _busy,
    "reorder": _reorder,
    "door_open": _door_open,
    "call_ending": _call_ending,
    "error": _error,
    "incoming": _incoming,
    "no_sound": _no_sound,
    "mending": _mending,
    "message": _message,
}
PAUSES_S: Mapping[str, float] = {"ringback": 4.0, "busy": 0.5, "reorder": 0.25, "incoming": 1.2, "mending": 2.7}
"""Silence after a tone, before it is repeated: as samples it would take more memory than all tones together."""


REPLACEABLE = (*GENERATED, *PROMPTS, *(f"{name}.{language}" for name in PROMPTS for language in LANGUAGES))
"""Sounds that a file may replace: the tones, and what the door says, in all languages or in one of them."""
SUFFIXES = (".wav", ".ogg", ".mp3", ".flac")
LONGEST_S = 60.0
"""Limit of a tone's length: a minute takes 6 MB of memory."""


def sounds_in(directory: Path) -> tuple[dict[str, Samples], list[str]]:
    """Return the sounds that a directory's files replace, and the faults of its other files, one sentence each."""
    sounds: dict[str, Samples] = {}
    faults: list[str] = []
    try:
        files = sorted(path for path in directory.iterdir() if path.suffix.lower() in SUFFIXES)
    except OSError as error:
        return {}, [f"the directory of tones cannot be read: {error}"]
    for path in files:
        try:
            sounds[path.stem] = _sound_in(path, sounds)
        except (OSError, ValueError) as error:
            faults.append(f"{path.name}: {error}")
    return sounds, faults


def _sound_in(path: Path, sounds: Mapping[str, Samples]) -> Samples:
    if path.stem not in REPLACEABLE:
        raise ValueError(
            f"there is no tone {path.stem!r}: the tones are {', '.join(GENERATED)}, and what the door says is "
            f"{', '.join(PROMPTS)} (or {PROMPTS[0]}.de for German alone, and so on)"
        )
    if path.stem in sounds:
        raise ValueError(f"there is another {path.stem} already: keep one")
    return load_sound(path, longest_s=LONGEST_S)


def tones_of(directory: str) -> Tones:
    """Return the door's tones, replaced by the valid files of this directory ("": none); invalid ones are logged."""
    if not directory:
        return Tones()
    sounds, faults = sounds_in(Path(directory))
    for fault in faults:
        log.warning("tones: %s; the door's own sound is used", fault)
    return Tones(sounds=sounds)


class Tones:
    """Has every tone by its name, and the owner's own prompts. May be used on any thread.

    A tone is generated when it is first asked for: all of them took a twelfth of a door's start. `prepare` does it in
    idle time, so that a press or a call does not wait.
    """

    def __init__(self, files: Mapping[str, Path] | None = None, *, sounds: Mapping[str, Samples] | None = None) -> None:
        """`sounds` and `files` replace some tones, the latter in any format that libsndfile reads.

        ToneError says which is wrong.
        """
        self.prompts = {name: sound for name, sound in (sounds or {}).items() if name not in GENERATED}
        "prompts of the owner's own, by name"
        self._tones = {name: sound for name, sound in (sounds or {}).items() if name in GENERATED}
        for name, path in (files or {}).items():
            if name not in GENERATED:
                raise ToneError(f"there is no tone {name!r}: the tones are {', '.join(GENERATED)}")
            try:
                self._tones[name] = load_sound(path)
            except (OSError, ValueError) as error:
                raise ToneError(f"tone {name}: {error}") from error
        self._replaced = frozenset(self._tones)

    def __getitem__(self, name: str) -> Samples:
        """Return the samples of the tone; ToneError when there is none of that name."""
        if (ready := self._tones.get(name)) is not None:
            return ready
        if name not in GENERATED:
            raise ToneError(f"there is no tone {name!r}: the tones are {', '.join(GENERATED)}")
        return self._tones.setdefault(name, _samples(GENERATED[name]()))

    def pause(self, name: str) -> int:
        """Return how many samples of silence follow the tone; a file has its own."""
        return 0 if name in self._replaced else int(PAUSES_S.get(name, 0.0) * RATE_HZ)

    def prepare(self) -> None:
        """Generate what nobody has asked for yet; the chime first, which a press waits for."""
        for name in GENERATED:
            self[name]


def _samples(wave: Wave) -> Samples:
    samples = (wave * LEVEL * FULL_SCALE).astype(np.int16)
    samples.setflags(write=False)
    return samples
