"""Examines a recorded test sound: whether the speaker is too loud for the microphone, and how to correct it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples, level_db, ratio, to_samples
from intercom.media.sound.levels import HIGHEST_DB, LOWEST_DB, Levels

QUIET_S = 1.0
"""Silence before the test sound, to measure the noise floor after a USB microphone's late start."""
PROBE_S = 2.5
"""Length of the test sound: long enough to find an echo 20 dB under the noise, short enough for the neighbours."""
TAIL_S = 0.8
"""Silence after the test sound, for the longest delay and the room's last echo."""
PROBE_DB = -20.0
"""Level of the test sound: that of telephone speech."""
PROBE_LOW_HZ, PROBE_HIGH_HZ = 300.0, 7000.0
"""Band of the test sound: a small speaker plays it, and the canceller keeps it."""
SETTLED_S = 0.4
"""Time skipped at the start of the recording, while a microphone crackles."""
LONGEST_DELAY_S = 0.6
"""Longest delay that is searched for."""
SURE = 8.0
"""Least ratio of the echo's peak to the correlation's noise; chance alone reaches 5 in 30 000 places."""
PIECE_SAMPLES = RATE_HZ // 5
"""Length of a piece searched for alone: long enough to find any notable echo, short enough between two stutters."""
LIKE = 0.4
"""Least correlation that identifies a piece: words reach 0.2 by chance, a usual echo has 0.9."""
CLIPPED = FULL_SCALE - 7
"""Amplitude from which a sample counts as clipped."""
CLIPPED_PERCENT = 0.01
"""Share of clipped samples above which the advice is to turn down: a few a second are heard as crackle."""
CLIPPING_STEP_DB = 6
"""Step by which a clipping speaker is turned down."""
ECHO_MOST_DB = 0.0
"""Limit of the echo level: above it the canceller suppresses the visitor when both speak (STOI 0.45 at +10 dB)."""
ECHO_WANTED_DB = -3.0
"""Echo level that the advice aims at."""
NOISE_MOST_DB = -45.0
"""Limit of the noise floor: louder noise is heard between a visitor's words."""
NOISE_WANTED_DB = -50.0
"""Noise floor that the advice aims at."""
MICROPHONE_STEP_MOST_DB = 12
"""Limit of turning the microphone down: a street is loud, and more would make the visitor too soft as well."""
DELAY_MOST_MS = 300.0
"""Limit of the delay for which the canceller was measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """Findings of the test sound."""

    noise_floor_db: float
    """Level of the microphone before the sound, its gain counted, dB full scale."""
    played_db: float
    """Level of the sound as sent to the card, dB full scale: a voice's -20 dB and the speaker's gain."""
    heard_db: float
    """Level of the microphone during the sound, its gain counted, dB full scale."""
    echo_level_db: float | None
    """Level of a returning voice over the sent one, all gains counted; None when it is not heard."""
    delay_ms: float | None
    """Delay from the speaker's queue to the microphone's reading; None when it is not heard."""
    clipped_percent: float
    """Share of the microphone's samples that clipped during the sound."""
    advice: tuple[str, ...]
    """Advice, one sentence for each problem; empty when all is well."""
    levels_tried: Levels
    """Levels during the test."""
    levels: Levels
    """Levels recommended for this card."""


def probe(speaker_db: float = 0.0) -> Samples:
    """Return the test sound: silence, noise of 300 to 7000 Hz, silence; mono S16 at 48 kHz, `speaker_db` louder."""
    count = int(PROBE_S * RATE_HZ)
    hz = np.fft.rfftfreq(count, 1 / RATE_HZ)
    phase = np.random.default_rng(4).uniform(0, 2 * np.pi, len(hz))
    inside = (hz >= PROBE_LOW_HZ) & (hz <= PROBE_HIGH_HZ)
    wave = np.fft.irfft(inside * np.exp(1j * phase), count)
    wave *= np.minimum(1, np.minimum(np.arange(count), np.arange(count)[::-1]) / (0.02 * RATE_HZ))
    wave *= ratio(PROBE_DB + speaker_db) * FULL_SCALE / math.sqrt(float(np.mean(wave**2)))
    quiet, tail = np.zeros(int(QUIET_S * RATE_HZ)), np.zeros(int(TAIL_S * RATE_HZ))
    return to_samples(np.concatenate([quiet, wave, tail]).astype(np.float32))


def examine(
    played: Samples, heard: Samples, levels: Levels, *, microphone_db: float | None = None, breaks: int = 0
) -> Findings:
    """Examine the recording `heard` of a card that played `played`, a `probe()` at `levels`.

    Both mono S16 at 48 kHz, on one clock from one moment, `heard` before software's gain; what is missing of it is
    silence. `microphone_db` is that gain, where the card's own control did the rest; `breaks` is how often the speaker
    ran dry meanwhile.
    """
    software_db = levels.microphone_db if microphone_db is None else microphone_db
    raw = np.concatenate([heard, np.zeros(max(0, len(played) - len(heard)), np.int16)])[: len(played)]
    heard = to_samples(raw * np.float32(ratio(software_db)))
    begin, end = int(QUIET_S * RATE_HZ), int((QUIET_S + PROBE_S) * RATE_HZ)
    noise_db = level_db(heard[int(SETTLED_S * RATE_HZ) : begin])
    delay = _delay(played, heard)
    late = heard[begin + (delay or 0) : end + (delay or 0)]
    heard_db = level_db(late)
    echo_db = None if delay is None else _power_db(heard_db, noise_db) - PROBE_DB
    found = Findings(
        noise_floor_db=noise_db,
        played_db=level_db(played[begin:end]),
        heard_db=heard_db,
        echo_level_db=echo_db,
        delay_ms=None if delay is None else delay * 1000 / RATE_HZ,
        clipped_percent=_clipped_percent(raw[begin:], heard[begin:]),
        advice=(),
        levels_tried=levels,
        levels=levels,
    )
    return _advised(found, dead=not np.any(heard), breaks=breaks)


def _delay(played: Samples, heard: Samples) -> int | None:
    """Return the delay in samples; None when the sound is not in `heard`.

    A card that stutters shifts it again and again: the whole is not found then, but a piece between two stutters is.
    """
    found = _delay_of(played, heard)
    start = 0
    for piece in np.array_split(played, len(played) // PIECE_SAMPLES):
        if found is None and np.any(piece):
            found = _delay_of_piece(piece, heard[start : start + len(piece) + int(LONGEST_DELAY_S * RATE_HZ)])
        start += len(piece)
    return found


def _delay_of_piece(piece: Samples, heard: Samples) -> int | None:
    """Return the delay of one piece in the recording from the piece's beginning on; None when it is not found."""
    if len(heard) < len(piece):
        return None
    size = 1 << (len(heard) + len(piece)).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(piece, size))
    places = len(heard) - len(piece) + 1
    energy = np.concatenate([[0.0], np.cumsum(heard.astype(np.float64) ** 2)])
    under = np.maximum(energy[-places:] - energy[:places], 1.0) * np.sum(piece.astype(np.float64) ** 2)
    like = np.abs(np.fft.irfft(spectrum, size))[:places] / np.sqrt(under)
    at = int(np.argmax(like))
    return at if like[at] > LIKE else None


def _delay_of(played: Samples, heard: Samples) -> int | None:
    """Return the delay of the whole sound; correlation at impossible, negative delays measures chance."""
    size = 1 << (2 * len(played) - 1).bit_length()
    spectrum = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(played, size))
    like: npt.NDArray[np.float64] = np.abs(np.fft.irfft(spectrum, size))
    longest = int(LONGEST_DELAY_S * RATE_HZ)
    chance = float(np.sqrt(np.mean(like[-longest : -RATE_HZ // 100] ** 2)))
    at = int(np.argmax(like[:longest]))
    return at if like[at] > max(1.0, SURE * chance) else None


def _clipped_percent(*sounds: Samples) -> float:
    """Return the worst share of clipped samples: in the card itself, or behind the gain."""
    return max(100 * float(np.mean(np.abs(sound.astype(np.int32)) >= CLIPPED)) for sound in sounds)


def _power_db(both_db: float, noise_db: float) -> float:
    """Return the level of a sound that was measured together with noise."""
    return 10 * math.log10(max(10 ** (both_db / 10) - 10 ** (noise_db / 10), 1e-9))


def _advised(found: Findings, *, dead: bool, breaks: int) -> Findings:
    advice: list[str] = []
    speaker_down = microphone_down = 0
    if dead:
        advice.append("the microphone gives no sound at all: is it plugged in, and not switched off?")
    elif found.echo_level_db is None and breaks:
        advice.append(
            f"the sound broke off {breaks} times, and was not found again: this computer is too busy for the test. "
            "Stop what else runs on it, then test again"
        )
    elif found.echo_level_db is None:
        advice.append(
            "the microphone does not hear the speaker: is the speaker plugged in and turned up? "
            'A speakerphone that cancels echo by itself is like this: set audio.echo_canceller to "none" for it'
        )
    if found.noise_floor_db > NOISE_MOST_DB:
        microphone_down = min(math.ceil(found.noise_floor_db - NOISE_WANTED_DB), MICROPHONE_STEP_MOST_DB)
        advice.append(f"the microphone hears much noise: turn it down {microphone_down} dB, or look for what hums")
    if found.clipped_percent > CLIPPED_PERCENT:
        speaker_down = CLIPPING_STEP_DB
    if found.echo_level_db is not None and found.echo_level_db - microphone_down > ECHO_MOST_DB:
        too_loud = math.ceil(found.echo_level_db - microphone_down - ECHO_WANTED_DB)
        speaker_down = max(speaker_down, too_loud)
    if speaker_down:
        why = "the microphone is overdriven" if found.clipped_percent > CLIPPED_PERCENT else "callers will hear echo"
        advice.append(f"{why}: turn the speaker down {speaker_down} dB, or move it away from the microphone")
    if found.delay_ms is not None and found.delay_ms > DELAY_MOST_MS:
        advice.append(
            f"the sound needs {found.delay_ms:.0f} ms through the card, more than the {DELAY_MOST_MS:.0f} ms that the "
            "canceller can bridge: use the card directly (audio.card = plughw:…), not through a sound server"
        )
    levels = replace(
        found.levels,
        speaker_db=_allowed(found.levels.speaker_db - speaker_down),
        microphone_db=_allowed(found.levels.microphone_db - microphone_down),
    )
    return replace(found, advice=tuple(advice), levels=levels)


def _allowed(gain_db: float) -> float:
    return min(max(gain_db, LOWEST_DB), HIGHEST_DB)
