"""The sound around the virtual headset: what its microphone hears, and what of its speaker."""

from __future__ import annotations

import math
import wave
from array import array
from pathlib import Path


class Microphone:
    """What the headset hears: silence, a sine or a recording, without end."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._loop = bytes(2 * rate_hz)
        self._at = 0

    def tone(self, frequency_hz: int, amplitude: int = 8000) -> None:
        """Hear a sine of a whole number of hertz."""
        whole = self._rate_hz // math.gcd(self._rate_hz, frequency_hz)  # samples after which it repeats
        turn = 2 * math.pi * frequency_hz / self._rate_hz
        self._hear(array("h", (round(amplitude * math.sin(turn * n)) for n in range(whole))).tobytes())

    def recording(self, path: Path) -> None:
        """Hear a WAV file (16-bit mono at the headset's rate), over and over."""
        with wave.open(str(path)) as file:
            if (file.getnchannels(), file.getsampwidth(), file.getframerate()) != (1, 2, self._rate_hz):
                raise ValueError(f"{path} is not 16-bit mono at {self._rate_hz} Hz")
            self._hear(file.readframes(file.getnframes()))

    def _hear(self, loop: bytes) -> None:
        self._loop, self._at = loop, 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes."""
        taken = b""
        while len(taken) < size:
            part = self._loop[self._at : self._at + size - len(taken)]
            self._at = (self._at + len(part)) % len(self._loop)
            taken += part
        return taken


class Air:
    """What the microphone hears of the speaker: as late and as loud as a test wants it; at first nothing."""

    def __init__(self, rate_hz: int) -> None:
        self._rate_hz = rate_hz
        self._ratio = 0.0
        self._late = b""
        self._under_way = bytearray()

    def set(self, echo_db: float, delay_ms: float) -> None:
        """From now on."""
        self._ratio = 10 ** (echo_db / 20)
        self._late = bytes(2 * round(self._rate_hz * delay_ms / 1000))
        self._under_way.clear()

    def put(self, data: bytes) -> None:
        """Take what the speaker played."""
        if not self._ratio:
            return
        if not self._under_way:
            self._under_way += self._late
        self._under_way += data

    def add_to(self, data: bytes) -> bytes:
        """Return what the microphone hears besides, and this."""
        echo = bytes(self._under_way[: len(data)])
        if not echo:
            return data
        del self._under_way[: len(data)]
        both = array("h", data)
        for index, sample in enumerate(array("h", echo)):
            both[index] = clip(both[index] + sample * self._ratio)
        return both.tobytes()


def clip(sample: float) -> int:
    """Return the nearest sample that 16 bits hold."""
    return max(-32768, min(32767, round(sample)))
