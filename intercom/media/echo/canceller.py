"""Echo: removes the speaker's sound from the microphone's, and measures how well that works.

The canceller runs at 16 kHz: WebRTC's noise suppression is nearly inert at 48 kHz, and telephones have no more. What it
returns has that rate, which Opus' voice coder has as well: what it would get at 48 kHz it would bring down again. Its
far reference is exactly what was written to the card, brought to the microphone's clock when the two differ.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from intercom.media.echo.double_talk import TalkThrough
from intercom.media.echo.linear import open_linear_filter
from intercom.media.echo.short_search import open_webrtc
from intercom.media.echo.webrtc import (
    CANCELLER_HZ,
    CANCELLER_SAMPLES,
    Backend,
    EchoError,
    Frame,
    LaterBackend,
    LiveKitBackend,
    check_webrtc,
)
from intercom.media.sound.energy import energy, peak
from intercom.media.sound.format import (
    BLOCK_MS,
    BLOCK_SAMPLES,
    RATE_HZ,
    Samples,
    block_samples,
    energy_db,
    level_db,
    ratio,
    to_samples,
)
from intercom.media.sound.resample import Decimator
from intercom.media.sound.varispeed import REFERENCE_PHASES, REFERENCE_TAPS, Varispeed

__all__ = ["EchoCanceller", "EchoError", "EchoStats", "HalfDuplex", "open_canceller"]

log = logging.getLogger(__name__)

FACTOR = RATE_HZ // CANCELLER_HZ
FAR_ACTIVE_DB = -50.0
"""Level above which the far end counts as speaking: its echo can then be heard."""
SMOOTHING = 0.02
"""Smoothing factor of the echo figures, for each block: they follow within half a second of far-end speech."""
WARN_BELOW_DB = 6.0
"""Limit of the echo loss below which the far end hears itself."""
DRIFT_MOST = 0.002
"""Limit of the clock drift, 2000 ppm: no two crystals differ by more."""
DRIFT_CORRECTION_PER_S = 0.05
"""Rate at which drift is corrected: slow enough for the canceller to follow, fast enough for 200 ppm to leave 4 ms."""
FILL_SMOOTHING = 0.01
"""Smoothing factor of the reference's fill level."""
STEADY_SAMPLES = CANCELLER_HZ // 1000
"""Change of that level, 1 ms, up to which the clocks are one: nearly every speaker and microphone are one card's, and
the reference passes untouched."""
REFERENCE_LATE = 242
"""Delay of the reference, 15 ms in samples: less than the speaker's queue, whose sound is heard later still. The
thresholds of `double_talk` were set at this delay."""
LONGEST_REFERENCE = CANCELLER_HZ // 4
"""Limit of the waiting reference, a quarter of a second: beyond it the microphone stood still, and the reference
restarts."""
LONGEST_PLAYED = 10
"""Limit of played blocks that wait for the microphone; under a chime there is no microphone to wait for."""
LARGEST_SILENCE = 16
"""Largest sample of a played block that nobody hears, -66 dB: its echo is not looked for."""


@dataclass(frozen=True, slots=True)
class EchoStats:
    """Figures of the echo, measured while the far end spoke."""

    echo_loss_db: float | None
    """Echo loss of the canceller; None before the far end spoke. Someone speaking at the door lowers it."""
    echo_level_db: float | None
    """Level of the microphone over the speaker's signal: above 0 the speaker is too loud."""
    drift_ppm: float
    """Drift of the microphone's clock against the speaker's."""
    far_spoke_s: float
    """Time that the far end spoke since the last reset."""


class _Reference:
    """The played sound that waits for the microphone, brought to the microphone's clock where that differs."""

    def __init__(self) -> None:
        self._varispeed = Varispeed(REFERENCE_TAPS, REFERENCE_PHASES)
        self.clear()

    def clear(self, later: int = 0) -> None:
        self._varispeed.clear()
        self._waiting: Frame = np.zeros(REFERENCE_LATE - REFERENCE_TAPS // 2 + later, np.int16)
        self._fill: float | None = None
        self._nominal = self._excess = 0.0
        self._seen = 0
        self.drift = 0.0

    def put(self, frame: Frame) -> None:
        self._waiting = np.concatenate([self._waiting, self._varispeed.run(frame, 1 + self.drift)])
        if len(self._waiting) > LONGEST_REFERENCE:
            self.clear()

    def take(self, length: int, ahead: int = 0) -> Frame:
        frame, self._waiting = self._waiting[:length], self._waiting[length:]
        if len(frame) < length:
            return np.concatenate([frame, np.zeros(length - len(frame), np.int16)])
        for later in range(length - CANCELLER_SAMPLES, -1, -CANCELLER_SAMPLES):
            self._follow_drift(len(self._waiting) + later - ahead)
        return frame

    def settle(self) -> None:
        """Settle anew what is usual: the speaker's turn moves, and so changes what waits at the microphone's.

        The clocks drift as before.
        """
        self._seen = 0

    def _follow_drift(self, waiting: int) -> None:
        self._fill = waiting if self._fill is None else self._fill + FILL_SMOOTHING * (waiting - self._fill)
        self._seen += 1
        if self._seen == 5 * 1000 // BLOCK_MS:
            self._nominal = self._fill - self._excess  # five seconds settle what is usual
        elif self._seen > 5 * 1000 // BLOCK_MS and self._seen % 100 == 0:
            self._excess = self._fill - self._nominal
            excess = self._excess - min(max(self._excess, -STEADY_SAMPLES), STEADY_SAMPLES)
            drift = excess / CANCELLER_HZ * DRIFT_CORRECTION_PER_S
            self.drift = min(max(drift, -DRIFT_MOST), DRIFT_MOST)


class EchoCanceller:
    """Runs one backend as the engine's canceller."""

    rate_hz = CANCELLER_HZ

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._near_down, self._far_down = Decimator(FACTOR), Decimator(FACTOR)
        self._reference = _Reference()
        self._played: list[Samples] = []
        self._loss_db: float | None = None
        self._level_db: float | None = None
        self._far_blocks = 0

    def prepare(self) -> None:
        """Load the backend, from any thread: a call then does not wait for it. Raises EchoError."""
        if isinstance(self._backend, LaterBackend):
            self._backend = self._backend.prepare()

    def begin(self, later: int = 0) -> None:
        """Begin with what is played from now on: the microphone starts, and heard nothing of what was played before.

        Else the reference would be late by as much as waited, for the whole call. What is known of the room is kept.
        `later`: how many more samples of 48 kHz than usual the speaker has before that; silence stands for them.
        """
        self._played.clear()
        self._reference.clear(later // FACTOR)

    def played(self, sound: Samples) -> None:
        """Take exactly the block that was written to the speaker, or two at once."""
        self._played.append(sound)  # it is looked at beside the microphone's, when all that is needed is at hand
        if len(sound) % BLOCK_SAMPLES:
            self._reference.settle()
        if len(self._played) > LONGEST_PLAYED:
            self._take_played()

    def _take_played(self) -> None:
        played, self._played = self._played, []
        if len(played) == 1:
            self._reference.put(self._at_the_backend_s_rate(played[0]))
            return
        for at in range(0, len(played), 2):
            self._reference.put(self._at_the_backend_s_rate(np.concatenate(played[at : at + 2])))

    def _at_the_backend_s_rate(self, played: Samples) -> Frame:
        if peak(played) > LARGEST_SILENCE:
            return self._far_down.run(played)
        self._far_down.clear()
        return np.zeros(len(played) // FACTOR, np.int16)

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        """Return one or two captured blocks without the echo, at 16 kHz, delayed by 1 ms and WebRTC's own 14.

        `ahead`: how many of the played samples were written before their time, because more came with them.
        """
        self._take_played()
        near = self._near_down.run(sound)
        far = self._reference.take(len(near), ahead // FACTOR)
        cleaned = self._backend.process(near, far)
        far_db = energy_db(energy(far), len(far))
        if far_db >= FAR_ACTIVE_DB:
            near_db, blocks = energy_db(energy(near), len(near)), len(near) // CANCELLER_SAMPLES
            self._far_blocks += blocks
            self._loss_db = _follow(self._loss_db, near_db - energy_db(energy(cleaned), len(cleaned)), blocks)
            self._level_db = _follow(self._level_db, near_db - far_db, blocks)
        return cleaned

    def reset(self) -> None:
        """Forget the room's echo path: the device changed."""
        self._backend.reset()
        self._reference.clear()
        self._loss_db = self._level_db = None
        self._far_blocks = 0

    def stats(self) -> EchoStats:
        """Return the current echo figures."""
        return EchoStats(self._loss_db, self._level_db, self._reference.drift * 1e6, self._far_blocks * BLOCK_MS / 1000)


def _follow(before: float | None, now: float, blocks: int) -> float:
    return now if before is None else before + blocks * SMOOTHING * (now - before)


HALF_DUPLEX_DB = -36.0
"""Gain of the door's sound while the far end speaks: no echo is loud enough to survive it."""
HOLD_BLOCKS = 25
"""Hold time after the far end's last word, in blocks: a quarter of a second bridges the gaps between words and the
echo."""
FAR_SPEAKS_DB = -42.0
"""Level above which the far end counts as speaking."""


class HalfDuplex:
    """Mutes the door while the far end speaks, for boxes whose speaker is too loud for any canceller."""

    def __init__(self, inner: EchoCanceller | None) -> None:
        self._inner = inner
        self.rate_hz = RATE_HZ if inner is None else inner.rate_hz
        self._hold = 0
        self._gain = 1.0

    def prepare(self) -> None:
        """Load the backend of the canceller inside, from any thread; raises EchoError."""
        if self._inner is not None:
            self._inner.prepare()

    def begin(self, later: int = 0) -> None:
        """Begin with what is played from now on: the microphone starts."""
        if self._inner is not None:
            self._inner.begin(later)

    def played(self, sound: Samples) -> None:
        """Take exactly the block that was written to the speaker, or two at once."""
        if level_db(sound) > FAR_SPEAKS_DB:
            self._hold = HOLD_BLOCKS
        if self._inner is not None:
            self._inner.played(sound)

    def clean(self, sound: Samples, ahead: int = 0) -> Samples:
        """Return one or two captured blocks, turned down while the far end speaks."""
        if self._inner is not None:
            sound = self._inner.clean(sound, ahead)
        wanted = ratio(HALF_DUPLEX_DB) if self._hold else 1.0
        self._hold = max(0, self._hold - len(sound) // block_samples(self.rate_hz))
        if wanted == self._gain == 1.0:
            return sound
        fade = np.linspace(self._gain, wanted, len(sound), dtype=np.float32)
        self._gain = wanted
        return to_samples(sound * fade)

    def reset(self) -> None:
        """Forget the room's echo path: the device changed."""
        self._hold = 0
        if self._inner is not None:
            self._inner.reset()

    def stats(self) -> EchoStats:
        """Return the figures of the canceller inside."""
        return self._inner.stats() if self._inner is not None else EchoStats(None, None, 0.0, 0.0)


def open_canceller(name: str = "webrtc", *, half_duplex: bool = False) -> EchoCanceller | HalfDuplex | None:
    """Open a canceller by its name: `webrtc`, `livekit` or `none`; EchoError says what to install.

    WebRTC's library is loaded by `prepare`, or with the first block.
    """
    inner: EchoCanceller | None
    if name == "webrtc":
        check_webrtc()
        inner = EchoCanceller(LaterBackend(lambda: _with_talk_through(open_webrtc())))
    elif name == "livekit":
        inner = EchoCanceller(LiveKitBackend())
    elif name == "none":
        inner = None
    else:
        raise ValueError(f"there is no echo canceller {name!r}: choose webrtc, livekit or none")
    return HalfDuplex(inner) if half_duplex else inner


def _with_talk_through(canceller: Backend) -> Backend:
    try:
        return TalkThrough(canceller, open_linear_filter())
    except OSError as error:
        log.info("Visitors are softened while the house speaks: %s", error)
        return canceller
