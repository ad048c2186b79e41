"""What a door may hear of a far end that is no key: speech, sirens, music and the telephone's own tones.

Run for hours: `python -m tests.media.street --hours 10`; it prints each key that was heard, and fails on one.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import av
import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from intercom.media.codec.g711 import G711Decoder, G711Encoder
from intercom.media.dtmf.in_band import KeyDetector
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples

PROMPTS = Path("/usr/share/asterisk/sounds/en_US_f_Allison")
PROMPTS_HZ = 16_000
PIECE_S = 20.0
VOICES = ("en", "en-us", "de", "fr", "es", "it", "pl", "ru", "tr", "cmn", "hi", "sw")
WORDS = (
    "Hello, there is a parcel for number nine. Please open the door, I am standing right outside.",
    "Eins, zwei, drei, vier, fünf, sechs, sieben, acht, neun, null. Machen Sie bitte auf, es regnet.",
    "Ouvrez, s'il vous plaît. Oui, oui, oui! Non? Eh bien, à demain; au revoir, et merci bien.",
    "Wee, woo, wee, woo. Aaah! Eeee! Ooooh, la la la. Mmmmm. Ring, ring, ring, ping, ding dong.",
)
Wave = npt.NDArray[np.float64]


def keys_in(sound: Samples) -> str:
    """The keys that the detector hears."""
    detector = KeyDetector()
    blocks = (sound[at : at + BLOCK_SAMPLES] for at in range(0, len(sound) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES))
    return "".join(heard.key for block in blocks if (heard := detector.listen(block)))


def as_telephoned(sound: Samples) -> Samples:
    """The same after G.711: 8 kHz, μ-law."""
    encoder, decoder = G711Encoder("pcmu"), G711Decoder("pcmu")
    frames = [sound[at : at + 960] for at in range(0, len(sound) - 959, 960)]
    return np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames])


def _loud(wave: Wave, level: float) -> Samples:
    peak = float(np.max(np.abs(wave))) or 1.0
    return np.asarray(wave / peak * level * 32767, np.int16)


def _swept(hz: Wave) -> Wave:
    return np.asarray(2 * np.pi * np.cumsum(hz) / RATE_HZ)


def _times() -> Wave:
    return np.arange(int(PIECE_S * RATE_HZ)) / RATE_HZ


def siren(random: np.random.Generator) -> Wave:
    """One or two vehicles: hi-lo, wail or yelp, with a horn's harmonics, drifting by as they pass."""
    at, total = _times(), np.zeros(int(PIECE_S * RATE_HZ))
    for _ in range(random.integers(1, 3)):
        low, high = sorted(random.uniform(360, 1700, 2))
        period = random.choice([0.18, 0.4, 1.0, 1.5, 4.0])
        phase = (at / period + random.random()) % 1
        shape = random.integers(3)
        share = (phase < 0.5) * 1.0 if shape == 0 else (1 - np.abs(2 * phase - 1) if shape == 1 else phase)
        doppler = 1 + random.uniform(0, 0.05) * np.tanh((PIECE_S / 2 - at) / 3)
        turn = _swept((low + (high - low) * share) * doppler)
        harmonics = random.uniform(0.3, 0.8)  # of any horn: a pure tone is no siren
        total += random.uniform(0.3, 1) * sum(harmonics ** (n - 1) * np.sin(n * turn) for n in (1, 2, 3))
    return np.asarray(total)


def music(random: np.random.Generator) -> Wave:
    """Two to four voices on a tempered scale, each note with its attack and its instrument's harmonics."""
    total = np.zeros(int(PIECE_S * RATE_HZ))
    tuning = 440 * 2 ** (random.uniform(-0.5, 0.5) / 12)
    scale = np.array([0, 2, 4, 5, 7, 9, 11]) if random.random() < 0.7 else np.arange(12)
    for _ in range(random.integers(2, 5)):
        octave, instrument = random.integers(-1, 3), random.uniform(0.05, 0.7)
        at = 0
        while at < len(total):
            count = int(RATE_HZ * random.choice([0.06, 0.12, 0.25, 0.5, 1.0]))
            count = min(count, len(total) - at)
            hz = tuning * 2 ** (octave + random.choice(scale) / 12)
            time = np.arange(count) / RATE_HZ
            decay = np.exp(-time * random.uniform(0.2, 8)) * np.minimum(1, time / 0.005)
            vibrato = 1 + random.uniform(0, 0.01) * np.sin(2 * np.pi * 5.5 * time)
            turn = _swept(hz * vibrato)
            total[at : at + count] += decay * sum(instrument ** (n - 1) * np.sin(n * turn) for n in range(1, 7))
            at += count
    return total


def telephone(random: np.random.Generator) -> Wave:
    """The network's own tones: dialling, ringing, busy, information, fax, in the pairs of the world."""
    at = _times()
    pairs = [(350, 440), (440, 480), (480, 620), (425, 425), (400, 450), (950, 1400), (1100, 1800), (913.8, 1428.5)]
    pairs += [(985.2, 1776.7), (2100, 1100), (1270, 1070), (2225, 2025), (600, 600), (1004, 1004)]
    low, high = pairs[random.integers(len(pairs))]
    cadence = (at % random.choice([0.2, 0.5, 1.0, 4.0])) < random.choice([0.1, 0.25, 0.5, 1.0])
    return np.asarray((np.sin(2 * np.pi * low * at) + np.sin(2 * np.pi * high * at)) * cadence)


def whistle(random: np.random.Generator) -> Wave:
    """One or two people, or birds: nearly pure, gliding, with breath."""
    total = random.normal(0, random.uniform(0.005, 0.05), int(PIECE_S * RATE_HZ))
    for _ in range(random.integers(1, 3)):
        steps = random.integers(20, 200)
        hz = np.interp(_times(), np.linspace(0, PIECE_S, steps), random.uniform(600, 2500, steps))
        loud = np.interp(_times(), np.linspace(0, PIECE_S, steps), random.uniform(0, 1, steps))
        total += loud * np.sin(_swept(hz))
    return np.asarray(total)


def spoken(random: np.random.Generator) -> Wave:
    """One of espeak-ng's voices, at any pitch and speed."""
    voice, words = str(random.choice(VOICES)), str(random.choice(WORDS))
    command = ["espeak-ng", "--stdout", "-v", f"{voice}+{random.choice(['m1', 'm3', 'f2', 'f4'])}"]
    command += ["-p", str(random.integers(0, 100)), "-s", str(random.integers(90, 350)), words]
    done = subprocess.run(command, capture_output=True, check=True, timeout=120)
    with soundfile.SoundFile(io.BytesIO(done.stdout)) as file:
        wave, rate = file.read(dtype="float64"), file.samplerate
    return np.asarray(np.resize(soxr.resample(wave, rate, RATE_HZ), int(PIECE_S * RATE_HZ)))


def prompts(random: np.random.Generator) -> Wave:
    """A person's recorded sentences, as they were said or as somebody with another voice would."""
    files = sorted(PROMPTS.rglob("*.g722"))
    pieces: list[Wave] = []
    while sum(map(len, pieces)) < PIECE_S * PROMPTS_HZ:
        with av.open(str(files[random.integers(len(files))]), format="g722") as container:
            pieces += [frame.to_ndarray().reshape(-1).astype(np.float64) for frame in container.decode(audio=0)]
    pitch = random.uniform(0.6, 1.6)
    return np.asarray(soxr.resample(np.concatenate(pieces), PROMPTS_HZ * pitch, RATE_HZ))[: int(PIECE_S * RATE_HZ)]


KINDS: dict[str, Callable[[np.random.Generator], Wave]] = {
    "a siren": siren,
    "music": music,
    "the telephone": telephone,
    "whistling": whistle,
    "a voice": spoken,
    "a person": prompts,
}


def pieces(kind: str, seed: int) -> Iterator[tuple[str, Samples]]:
    """For ever: the name of a piece, by which it can be heard again, and its sound, also as a telephone carries it."""
    for number in range(sys.maxsize):
        random = np.random.default_rng([seed, number])
        sound = _loud(KINDS[kind](random), random.uniform(0.05, 0.95))
        if random.random() < 0.3:
            sound = as_telephoned(sound)
        yield f"{kind}, seed {seed}, piece {number}", sound


def main() -> int:
    """Listen for so many hours; 1 when a key was heard."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wrong = heard = 0
    each = {kind: pieces(kind, options.seed) for kind in KINDS}
    while heard * PIECE_S < options.hours * 3600:
        for kind in KINDS:
            name, sound = next(each[kind])
            heard += 1
            if keys := keys_in(sound):
                wrong += 1
                print(f"{name}: {keys}")
    print(f"{heard * PIECE_S / 3600:.1f} hours, {wrong} pieces in which a key was heard")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
