"""How a process tells what happens in it: one JSON object a line, timed by CLOCK_MONOTONIC, which all share."""

from __future__ import annotations

import asyncio
import json
import math
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from intercom.media.cards import simulated
from intercom.media.rtp.far_end import FarEndSound
from intercom.media.sound.format import RATE_HZ, Samples

QUIET_S = 0.25
"""Concealment bridges less."""
AUDIBLE = 300.0
"""Root mean square of a block that holds the far end's tone."""
_lock = threading.Lock()


def tell(what: str, **more: Any) -> None:
    """Tell one fact."""
    line = json.dumps({"what": what, "at": time.monotonic(), **more})
    with _lock:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()


async def obey(commands: dict[str, Callable[[], Awaitable[Any]]]) -> None:
    """Do what comes in, a word a line, until the input ends; tell each one's result."""
    loop = asyncio.get_running_loop()
    while word := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        tell("done", command=word, result=await commands[word]())


class Hearing:
    """Tells when the far end's sound begins and ends at this card: `{"what": "sound", "on": …, "at": …}`."""

    def __init__(self) -> None:
        self._on = False
        self._last = 0.0
        self._source: FarEndSound | None = None
        pull = FarEndSound.pull
        hearing = self

        def listen(sound: FarEndSound, now: float, shortest: int, longest: int, spare_s: float) -> Samples:
            block = pull(sound, now, shortest, longest, spare_s)
            if len(block):
                hearing._heard(sound, block)
            return block

        FarEndSound.pull = listen  # type: ignore[assignment, method-assign]  # it only listens

    def _heard(self, sound: FarEndSound, block: Samples) -> None:
        now = time.monotonic()
        if sound is not self._source:  # another call
            self._source = sound
            self._end()
        if float(np.sqrt(np.mean(block.astype(np.float32) ** 2))) > AUDIBLE:
            self._last = now
            if not self._on:
                self._on = True
                tell("sound", on=True)
        elif now - self._last > QUIET_S:
            self._end()

    def _end(self) -> None:
        if self._on:
            self._on = False
            tell("sound", on=False, since=self._last)


def hum(hz: float) -> None:
    """Every simulated microphone of this process hears a steady tone."""
    at = np.arange(RATE_HZ) / RATE_HZ
    tone: Samples = (8000 * np.sin(2 * np.pi * hz * at)).astype(np.int16)
    simulated.PAUSE_S = 0.0

    def load(path: Path, *, longest_s: float = math.inf) -> Samples:
        return tone

    simulated.load_sound = load  # type: ignore[attr-defined]  # a name that it imports
