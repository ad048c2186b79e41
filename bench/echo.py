"""Echo: how much the canceller takes away, how soon, and what is left of the visitor when both speak.

Recorded speech in made-up rooms (pyroomacoustics), sample for sample as the engine would hand it over: no card, no
clock. Beside it, over the same sound: WebRTC's canceller alone, LiveKit's build of it, libspeexdsp's, and none.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import soxr
from pystoi import stoi

from bench._rooms import OPEN, STAIRWELL, Box, echo_of, noise, visitor_of
from bench._speech import FAR_PROMPTS, NEAR_PROMPTS, speech
from bench._speexdsp import SpeexBackend
from bench.plot import Plot
from bench.report import Report
from intercom.media.echo.canceller import EchoCanceller, HalfDuplex, open_canceller
from intercom.media.echo.webrtc import CANCELLER_HZ, Backend, LiveKitBackend, WebRtcBackend
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples, level_db, to_samples
from tests.media.echo.raised import raised

SECONDS = 20
FROM_S = 2.0
"""What comes before is what `converge_s` tells."""
CONVERGED_DB = 30.0
STAYS_S = 2.0
"""WebRTC holds everything back for half a second, lets the echo through, and has learnt by the second word."""
WINDOW_S = 0.5
SPOKEN_DB = -60.0
ALIGN_S = 0.1
"""The longest delay that a canceller adds to the visitor."""
VISITOR_DB = -26.0
"""Somebody half a metre from the door, at the microphone."""
VISITOR_FROM_S = 7.0
"""The far end has spoken alone before: a house answers with a greeting."""
LOUD_DB = 10.0

USUAL = Box()
BOXES = {
    "": USUAL,
    "delay20_": replace(USUAL, delay_s=0.02),
    "delay100_": replace(USUAL, delay_s=0.1),
    "delay300_": replace(USUAL, delay_s=0.3),
    "drift50_": replace(USUAL, drift_ppm=50),
    "loud_": replace(USUAL, echo_db=LOUD_DB),
    "distorted_": replace(USUAL, distorted=True),
    "loud_distorted_": replace(USUAL, echo_db=LOUD_DB, distorted=True),
    "stairwell_": replace(USUAL, place=STAIRWELL),
    "stairwell_drift50_": replace(USUAL, place=STAIRWELL, drift_ppm=50),
    "street_": replace(USUAL, place=OPEN),
}
"""The usual one has no name."""
BOTH_SPEAK = ("", "drift50_", "loud_", "distorted_", "stairwell_")
JUMP_AT_S, JUMP_S = 10.0, 0.02
"""The card dropped two blocks: the echo comes later from then on."""
Canceller = EchoCanceller | HalfDuplex | None
BESIDE: dict[str, Callable[[], Backend]] = {
    "webrtc": WebRtcBackend,
    "livekit": LiveKitBackend,
    "speexdsp": SpeexBackend,
}


def ours(*, half_duplex: bool = False) -> Canceller:
    """The door's own, as it is by default."""
    return open_canceller("webrtc", half_duplex=half_duplex)


def through(canceller: Canceller, far: Samples, microphone: Samples) -> Samples:
    """What the far end is sent, at 48 kHz, two blocks at a time."""
    if canceller is None:
        return microphone
    cleaned = []
    for at in range(0, len(far) - 2 * BLOCK_SAMPLES + 1, 2 * BLOCK_SAMPLES):
        canceller.played(far[at : at + BLOCK_SAMPLES])
        canceller.played(far[at + BLOCK_SAMPLES : at + 2 * BLOCK_SAMPLES])
        cleaned.append(canceller.clean(microphone[at : at + 2 * BLOCK_SAMPLES]))
    return raised(cleaned, canceller.rate_hz)


def echo_loss_db(microphone: Samples, cleaned: Samples, begin_s: float, end_s: float) -> float:
    """ERLE between two moments (ITU-T G.168): what came in against what goes out."""
    part = slice(int(begin_s * RATE_HZ), int(end_s * RATE_HZ))
    return level_db(microphone[part]) - level_db(cleaned[part])


def losses(microphone: Samples, cleaned: Samples) -> list[tuple[float, float | None]]:
    """ERLE over time; None where the far end is silent."""
    curve: list[tuple[float, float | None]] = []
    for at in np.arange(0, SECONDS - WINDOW_S, WINDOW_S / 2):
        heard = microphone[int(at * RATE_HZ) : int((at + WINDOW_S) * RATE_HZ)]
        loss_db = echo_loss_db(microphone, cleaned, at, at + WINDOW_S)
        curve.append((float(at), loss_db if level_db(heard) > SPOKEN_DB else None))
    return curve


def converged_s(microphone: Samples, cleaned: Samples, from_s: float = 0.0) -> float:
    """How long after `from_s` the echo is CONVERGED_DB softer and stays so for STAYS_S."""
    since: float | None = None
    for at, loss_db in losses(microphone, cleaned):
        if at < from_s or loss_db is None:
            continue
        if loss_db < CONVERGED_DB:
            since = None
        elif since is None:
            since = at
        elif at - since >= STAYS_S:
            return since - from_s
    return SECONDS - from_s


def intelligibility(visitor: Samples, sent: Samples) -> float:
    """STOI of what the far end is sent, against the visitor alone at the microphone; 1 = every word."""
    clean, heard = (soxr.resample(part.astype(np.float64), RATE_HZ, CANCELLER_HZ) for part in (visitor, sent))
    late = _delay(clean, heard)
    begin = int((VISITOR_FROM_S + 1) * CANCELLER_HZ)
    length = min(len(clean), len(heard) - late) - begin
    score = stoi(clean[begin : begin + length], heard[begin + late : begin + late + length], CANCELLER_HZ)
    return round(float(score), 3)


def _delay(clean: npt.NDArray[np.float64], heard: npt.NDArray[np.float64]) -> int:
    size = 1 << (len(clean) + len(heard)).bit_length()
    like = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(clean, size)), size)
    return int(np.argmax(like[: int(ALIGN_S * CANCELLER_HZ)]))


class Scene:
    """What is heard at one door: the far end, and from VISITOR_FROM_S on perhaps a visitor as well."""

    def __init__(self, box: Box) -> None:
        self.far = speech(SECONDS, FAR_PROMPTS)
        hiss = noise(len(self.far))
        echo = echo_of(box, self.far)
        visitor = visitor_of(box, speech(SECONDS, NEAR_PROMPTS, at_db=VISITOR_DB))
        visitor[: int(VISITOR_FROM_S * RATE_HZ)] = 0
        self.alone = to_samples(echo + hiss)
        self.visitor = to_samples(visitor + hiss)
        self.both = to_samples(echo + visitor + hiss)

    def erle_db(self, sent: Samples) -> float:
        """Of the far end alone."""
        return round(echo_loss_db(self.alone, sent, FROM_S, SECONDS), 1)

    def double_talk(self, canceller: Canceller) -> float:
        """STOI while both speak."""
        return intelligibility(self.visitor, through(canceller, self.far, self.both))


def _after_a_jump() -> tuple[Samples, Samples]:
    """The far end, and what the microphone hears when the echo's delay changes in the middle."""
    before, after = Scene(USUAL), Scene(replace(USUAL, delay_s=USUAL.delay_s + JUMP_S))
    at = int(JUMP_AT_S * RATE_HZ)
    return before.far, np.concatenate([before.alone[:at], after.alone[at:]])


async def run() -> Report:
    """Measure every box with the far end alone, then some with both ends speaking."""
    figures: dict[str, float] = {}
    beside: dict[str, float] = {}
    curves: dict[str, list[tuple[float, float | None]]] = {}
    scenes = {name: Scene(box) for name, box in BOXES.items()}
    for name, scene in scenes.items():
        began = time.process_time()
        sent = through(ours(), scene.far, scene.alone)
        if not name:
            figures["cpu"] = round((time.process_time() - began) / SECONDS, 4)
        figures[f"erle_{name}db"] = scene.erle_db(sent)
        if not name:
            figures["converge_s"] = converged_s(scene.alone, sent)
        curves[name.rstrip("_") or "usual"] = losses(scene.alone, sent)
        for who, backend in BESIDE.items():
            beside[f"{who}_erle_{name}db"] = scene.erle_db(through(EchoCanceller(backend()), scene.far, scene.alone))
    far, microphone = _after_a_jump()
    figures["jump20_s"] = converged_s(microphone, through(ours(), far, microphone), JUMP_AT_S)
    sent = through(EchoCanceller(WebRtcBackend()), far, microphone)
    beside["webrtc_jump20_s"] = converged_s(microphone, sent, JUMP_AT_S)
    for name in BOTH_SPEAK:
        scene = scenes[name]
        figures[f"double_talk_{name}stoi"] = scene.double_talk(ours())
        figures[f"half_duplex_{name}stoi"] = scene.double_talk(ours(half_duplex=True))
        beside[f"none_double_talk_{name}stoi"] = scene.double_talk(None)
        for who, backend in BESIDE.items():
            beside[f"{who}_double_talk_{name}stoi"] = scene.double_talk(EchoCanceller(backend()))
    return Report(
        "echo",
        figures,
        targets={"erle_db": 40, "converge_s": 2},
        baselines=beside,
        notes=(
            "erle_db: echo loss of the far end alone from 2 s on, more is better. Recorded speech at -22 dB, its echo "
            "at -25 dB after 60 ms, in a porch of 0.1 s; then one of these changed: delay in ms, drift in ppm, the "
            "echo 10 dB above the speech (loud), a speaker with 15 % distortion, a stairwell of 0.6 s, the street.",
            "converge_s: until it is 30 dB softer and stays so for 2 s.",
            "jump20_s: the same after the echo's delay changed by 20 ms.",
            "double_talk_stoi: how intelligible the visitor is while both speak (1 = as at the microphone), after the "
            "far end spoke alone for 7 s. half_duplex_stoi: the same with audio.half_duplex. It turns the visitor down "
            "by 36 dB meanwhile, which STOI does not see: it looks at shapes, not at levels.",
            "A speakerphone's own canceller, where there is one, comes first.",
        ),
        plots=(
            Plot(
                "erle",
                "Echo loss of the far end alone",
                "time, s",
                "echo loss, dB",
                {name: curves[name] for name in ("usual", "drift50", "loud", "distorted", "stairwell")},
                target=40,
            ),
        ),
    )
