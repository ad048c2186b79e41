"""Plays a sound on a card and records it meanwhile, without an engine, for `intercom audio test`."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from intercom.media.cards.card import Cards
from intercom.media.cards.pcm_line import CaptureLine, PlaybackLine
from intercom.media.cards.pcm_loss import LineLostError
from intercom.media.errors import CardError
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples

TURN_S = 0.002
"""Interval of serving both directions, a fifth of a block: it is the precision of their timing."""
LATE_S = 5.0
"""Time beyond the sound's length after which the card counts as hung."""
TRIES = 3
"""Limit of tries at a card that stops: a sound server on a busy machine may stand still and be well a moment later."""


class Rehearsed(NamedTuple):
    """What a card did with a sound."""

    heard: Samples
    """The microphone's recording, as long as the sound, from the first written sample on."""
    breaks: int
    """Number of times that the speaker ran dry: the computer was late."""


def rehearse(
    cards: Cards,
    sound: Samples,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Rehearsed:
    """Play `sound` and return the microphone's recording of it.

    Both mono S16 at 48 kHz. Blocks for the sound's length, and again after a card that stops, which is opened anew, as
    in a call. CardError says what the card did not do.
    """
    lost: LineLostError | None = None
    for _ in range(TRIES):
        try:
            return _try(cards, sound, clock, sleep)
        except LineLostError as error:
            lost = error
    raise CardError(f"the card stopped during each of {TRIES} tests: {lost}") from lost


def _try(cards: Cards, sound: Samples, clock: Callable[[], float], sleep: Callable[[float], None]) -> Rehearsed:
    speaker = PlaybackLine(cards.open("playback"))
    try:
        microphone = CaptureLine(cards.open("capture"))
        try:
            heard = _play_and_listen(speaker, microphone, sound, clock, sleep)
            return Rehearsed(heard, speaker.xruns)
        finally:
            microphone.close()
    finally:
        speaker.close()


def _play_and_listen(
    speaker: PlaybackLine,
    microphone: CaptureLine,
    sound: Samples,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Samples:
    began = clock()
    speaker.start(began)
    microphone.start(began)
    written, heard = 0, np.zeros(0, np.int16)
    while len(heard) < len(sound):
        now = clock()
        if now - began > len(sound) / RATE_HZ + LATE_S:
            raise CardError("the card did not play and record at the pace of 48 kHz")
        if speaker.is_hungry(now):
            block = sound[written : written + BLOCK_SAMPLES]
            speaker.write(np.concatenate([block, np.zeros(BLOCK_SAMPLES - len(block), np.int16)]), now)
            written += BLOCK_SAMPLES
        captured = microphone.captured(now)
        if len(captured) and not len(heard):
            before = int((now - began) * RATE_HZ) - len(captured)
            heard = np.zeros(max(0, before), np.int16)
        heard = np.concatenate([heard, captured])
        sleep(TURN_S)
    return heard[: len(sound)]
