"""G.711, both laws (ITU-T G.711): the codec of every telephone that does not speak Opus."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from intercom.media.codec.interface import FRAMES_PER_S
from intercom.media.errors import CodecError
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.resample import Decimator, Interpolator

CLOCK_HZ = 8000
"""Clock rate of G.711's samples and RTP timestamps."""
LONGEST_BYTES = CLOCK_HZ // 5
"""Limit of a payload, 200 ms: the longest packet in RFC 3551 section 4.2."""
FADE_PER_SAMPLE = 1 / (CLOCK_HZ * 60 // 1000)
"""Fade of concealed sound per sample, silent after 60 ms: longer sounds like a robot."""
PITCH_SAMPLES = CLOCK_HZ // 50
"""Length of the concealment's loop, 20 ms: it holds at least one period of any voice."""

Law = Literal["pcmu", "pcma"]


def _levels(law: Law) -> npt.NDArray[np.int16]:
    code = np.arange(256, dtype=np.int32) ^ (0xFF if law == "pcmu" else 0x55)
    exponent, mantissa = (code >> 4) & 7, code & 15
    if law == "pcmu":
        magnitude = (((mantissa << 3) + 0x84) << exponent) - 0x84
        return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)
    magnitude = np.where(exponent == 0, (mantissa << 4) + 8, ((mantissa << 4) + 0x108) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _codes(levels: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """Return the code of the nearest level for every 16-bit sample, beginning with -32768."""
    order = np.argsort(levels, kind="stable")
    ordered = levels[order].astype(np.int32)
    borders = (ordered[1:] + ordered[:-1]) / 2
    return order[np.searchsorted(borders, np.arange(-32768, 32768))].astype(np.uint8)


class G711Encoder:
    """Encodes sound at 48 or 16 kHz as 8 kHz logarithmic bytes."""

    clock_hz = CLOCK_HZ

    def __init__(self, law: Law) -> None:
        self._codes = _codes(_levels(law))
        self._begin(RATE_HZ // FRAMES_PER_S)

    def _begin(self, samples: int) -> None:
        """Begin anew, with frames of so many samples."""
        self._samples = samples
        self._decimator = Decimator(samples * FRAMES_PER_S // CLOCK_HZ)

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """Do nothing: G.711 has one rate and no redundancy."""

    def encode(self, frame: Samples) -> bytes:
        """Encode 20 ms into a payload of 160 bytes."""
        if len(frame) != self._samples:
            self._begin(len(frame))
        samples = self._decimator.run(frame)
        codes: bytes = self._codes[samples.astype(np.int32) + 32768].tobytes()
        return codes


class G711Decoder:
    """Decodes 8 kHz logarithmic bytes into 48 kHz sound; conceals a loss with the last 20 ms, fading."""

    clock_hz = CLOCK_HZ

    def __init__(self, law: Law) -> None:
        self._levels = _levels(law)
        self._interpolator = Interpolator(RATE_HZ // CLOCK_HZ)
        self._last = np.zeros(PITCH_SAMPLES, np.int16)
        self._made_up = 0

    def length(self, payload: bytes) -> int:
        """Return the payload's samples, one per byte; CodecError for none or too many."""
        if not 0 < len(payload) <= LONGEST_BYTES:
            raise CodecError(f"a G.711 packet of {len(payload)} bytes")
        return len(payload)

    def repairs(self, payload: bytes) -> bool:
        """Return False: G.711 has no redundancy."""
        return False

    def decode(self, payload: bytes) -> Samples:
        """Decode the payload into 48 kHz sound."""
        samples = self._levels[np.frombuffer(payload, np.uint8)]
        self._last = np.concatenate([self._last, samples])[-PITCH_SAMPLES:]
        self._made_up = 0
        return self._interpolator.run(samples)

    def conceal(self, samples: int) -> Samples:
        """Conceal a loss: return `samples` 48 kHz samples that continue the last sound."""
        count = samples * CLOCK_HZ // RATE_HZ
        at = np.arange(self._made_up, self._made_up + count)
        self._made_up += count
        gain = np.maximum(0.0, 1.0 - at * FADE_PER_SAMPLE)
        return self._interpolator.run((self._last[at % PITCH_SAMPLES] * gain).astype(np.int16))

    def recover(self, following: bytes, samples: int) -> Samples:
        """Conceal the loss, because G.711 has no redundancy."""
        return self.conceal(samples)
