"""Remembers the last seconds of the door's sound: a key that comes back may be the visitor's own tone."""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from intercom.media.dtmf.in_band import key_hz
from intercom.media.sound.format import BLOCK_MS, FULL_SCALE, Samples, ratio

KEPT_S = 2.0
"""Time that sent sound is kept: longer than an echo takes over two mobile networks, through a gateway that turns tones
into events, to a late event loop."""
LINE_HZ = 8000
"""Rate of a telephone line: sound beyond its band cannot mask a tone."""
WINDOW = LINE_HZ * 20 // 1000
"""Length of the analysis window, 20 ms."""
HOP = LINE_HZ * BLOCK_MS // 1000
"""Step between two windows, one block."""
SOFTEST = ratio(-46)
"""Level of each tone below which no line's echo of it is heard as a key."""
MOST_TWIST = ratio(14)
"""Difference of the two tones above which no line brings them into balance."""
PURE = 0.5
"""Least share of the energy that the two tones hold; a line may remove part of the sound mixed with them."""
WINDOWS_OF_A_TONE = 2
"""Windows in a row that the shortest key fills; speech seldom holds two tones in balance for so long."""
LOUDER = ratio(6)
"""Limit of an echo's level over the sent sound's."""

Wave = npt.NDArray[np.float32]


class SentSound:
    """Keeps the sent sound and searches it only when a key arrives."""

    def __init__(self) -> None:
        self._blocks: deque[tuple[float, Samples]] = deque(maxlen=round(KEPT_S * 1000 / BLOCK_MS))
        self._searched: tuple[float, ...] = ()
        self._windows: Wave = np.zeros((0, WINDOW), np.float32)
        self._found: dict[str, int | None] = {}
        "Last window that held each key: a message may hold many keys."

    def push(self, block: Samples, now: float) -> None:
        """Take the next sent block; on the engine's thread."""
        self._blocks.append((now, block))

    def held_key_s(self, key: str, now: float, heard: tuple[float, float] | None = None) -> float | None:
        """Return the seconds from this key's tones to `now`; None when they were not sent in the last two seconds.

        They were when they stood out of all else, or were as loud as those that were `heard` (the levels of the two
        tones, 1 is full scale), whatever else sounded.
        """
        self._look(now)
        if not len(self._windows):
            return None
        if heard is not None:
            found = _last(self._held(key) | _as_loud(self._levels(key), heard))
        elif key in self._found:
            found = self._found[key]
        else:
            found = self._found[key] = _last(self._held(key))
        return None if found is None else max(0.0, now - self._searched[found + WINDOW // HOP - 1])

    def _look(self, now: float) -> None:
        """Cut the sound sent by now into windows, once for all keys of this moment."""
        blocks = [entry for entry in self._blocks.copy() if 0 <= now - entry[0] <= KEPT_S]
        times = tuple(at for at, _ in blocks)
        if times == self._searched:
            return
        self._searched, self._found, self._windows = times, {}, self._windows[:0]
        if len(blocks) * HOP >= WINDOW:
            sent = np.concatenate([block for _, block in blocks]).astype(np.float32) / np.float32(FULL_SCALE)
            line = _on_a_line(sent, len(blocks))
            self._windows = np.lib.stride_tricks.sliding_window_view(line, WINDOW)[::HOP].copy()

    def _levels(self, key: str) -> tuple[Wave, Wave]:
        low_hz, high_hz = key_hz(key)
        return _level(self._windows, low_hz), _level(self._windows, high_hz)

    def _held(self, key: str) -> npt.NDArray[np.bool_]:
        return _stands_out(self._windows, *self._levels(key))


def _on_a_line(sent: Wave, blocks: int) -> Wave:
    """Return the sound of so many blocks at a telephone line's rate."""
    spectrum = np.fft.rfft(sent)[: blocks * HOP // 2 + 1]
    wave: Wave = (np.fft.irfft(spectrum) * (blocks * HOP / len(sent))).astype(np.float32)
    return wave


def _last(held: npt.NDArray[np.bool_]) -> int | None:
    found = np.flatnonzero(held)
    return int(found[-1]) if len(found) else None


def _as_loud(levels: tuple[Wave, Wave], heard: tuple[float, float]) -> npt.NDArray[np.bool_]:
    """Return the windows in which either tone was loudest, if both were as loud as the heard ones."""
    low, high = levels
    loudest_low, loudest_high = np.max(low), np.max(high)
    if loudest_low * LOUDER < heard[0] or loudest_high * LOUDER < heard[1]:
        return np.zeros(len(low), np.bool_)
    return np.asarray((low == loudest_low) | (high == loudest_high))


def _level(windows: Wave, hz: float) -> Wave:
    phase = 2 * np.pi * hz * np.arange(WINDOW) / LINE_HZ
    filters = (np.stack([np.cos(phase), np.sin(phase)], axis=1) * (2 / WINDOW)).astype(np.float32)
    level: Wave = np.hypot(*(windows @ filters).T)
    return level


def _stands_out(windows: Wave, low: Wave, high: Wave) -> npt.NDArray[np.bool_]:
    """Return the windows at which the two tones have stood out for as long as a key lasts."""
    energy = np.square(windows).mean(axis=1)
    softer, louder = np.minimum(low, high), np.maximum(low, high)
    pure = (softer >= SOFTEST) & (louder <= MOST_TWIST * softer) & ((low**2 + high**2) / 2 >= PURE * energy)
    in_a_row = np.convolve(pure, np.ones(WINDOWS_OF_A_TONE), "valid") == WINDOWS_OF_A_TONE
    return np.concatenate([np.zeros(WINDOWS_OF_A_TONE - 1, np.bool_), in_a_row])
