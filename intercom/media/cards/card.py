"""Opens the PCMs of sound cards."""

from __future__ import annotations

from typing import Any, Protocol

import alsaaudio

from intercom.media.cards.alsa_log import hush
from intercom.media.cards.alsa_pcm import FORMAT_S16_LE, AlsaPcm
from intercom.media.errors import CardBusyError, CardError
from intercom.media.events import Direction
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ

PERIODS = 8
"""Buffer size in periods: a long buffer forgives a late thread, while the engine itself keeps the delay low."""

STATE_DISCONNECTED = 8
"""State SND_PCM_STATE_DISCONNECTED: the card was unplugged."""


class Pcm(Protocol):
    """One direction of a card: an `AlsaPcm`, or a simulation of it.

    `read` gives `(frames, bytes)`, `write` gives frames; 0 means not now, -32 an xrun that is healed already.
    `avail` gives frames, or a negative errno. Everything else that goes wrong raises `alsaaudio.ALSAAudioError`.
    """

    def read(self) -> tuple[int, bytes]: ...
    def write(self, data: bytes, /) -> int: ...
    def avail(self) -> int: ...
    def state(self) -> int: ...
    def info(self) -> dict[str, Any]: ...
    def drop(self) -> int: ...
    def close(self) -> None: ...


class Cards(Protocol):
    """Source of the engine's PCMs, at start and again after a loss."""

    @property
    def description(self) -> str:
        """Description of the chosen card, in words."""

    def open(self, direction: Direction) -> Pcm:
        """Open a prepared PCM, 48 kHz mono S16, 10 ms periods; CardError when it cannot be opened now."""


def open_pcm(
    direction: Direction,
    name: str,
    *,
    rate: int = RATE_HZ,
    channels: int = 1,
    period: int = BLOCK_SAMPLES,
    periods: int = PERIODS,
) -> Pcm:
    """Open the ALSA PCM `name`, S16, non-blocking; `rate` in Hz, `period` in frames.

    A name that does not convert (`hw:…`) and gave another format, rate or channel count is opened again behind ALSA's
    `plug`.
    CardError says what ALSA said and what to do.
    """
    hush()
    pcm = _open(direction, name, rate=rate, channels=channels, period=period, periods=periods)
    if _fits(pcm, rate, channels):
        return pcm
    pcm.close()
    plugged = f"plug:SLAVE='{name}'"
    pcm = _open(direction, plugged, rate=rate, channels=channels, period=period, periods=periods)
    if _fits(pcm, rate, channels):
        return pcm
    pcm.close()
    raise CardError(f"{name} does not {direction} S16 at {rate} Hz with {channels} channel(s): use plughw:CARD=…")


def _open(direction: Direction, name: str, *, rate: int, channels: int, period: int, periods: int) -> Pcm:
    try:
        return AlsaPcm(direction, name, rate=rate, channels=channels, period=period, periods=periods)
    except alsaaudio.ALSAAudioError as error:
        kind_of_error = CardBusyError if "busy" in str(error) else CardError
        raise kind_of_error(f"cannot open {name} for {direction}: {error}; {_advice(str(error))}") from error


def _fits(pcm: Pcm, rate: int, channels: int) -> bool:
    try:
        info = pcm.info()
    except alsaaudio.ALSAAudioError as error:
        pcm.close()
        raise CardError(f"the card went while it was opened: {error}") from error
    return bool(info["rate"] == rate and info["channels"] == channels and info["format"] == FORMAT_S16_LE)


def _advice(said: str) -> str:
    if "busy" in said:
        return "another program uses it: `fuser -v /dev/snd/*` shows which"
    if "No such" in said:
        return "is it plugged in? `aplay -l` lists the cards that are"
    if "ermission" in said:
        return "the user must be in the group audio"
    return "`intercom audio test` tells more"
