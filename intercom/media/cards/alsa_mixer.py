"""A card's simple mixer controls through ALSA's library, without the interpreter's lock: see `alsa_pcm.py` for why."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import alsaaudio

from intercom.media.cards.alsa_log import hush
from intercom.media.events import Direction

CHANNELS = range(32)
"""Channels of a control: every value up to SND_MIXER_SCHN_LAST."""
NEAREST = 0
"""Rounding direction that picks the nearest step for a level between two steps."""
STEPS_PER_DB = 100
"""Units in a dB: ALSA counts levels in hundredths."""

_pointer, _int, _long = ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_long)
_SIGNATURES: dict[str, tuple[Any, ...]] = {
    "snd_mixer_open": (_int, ctypes.POINTER(_pointer), _int),
    "snd_mixer_close": (_int, _pointer),
    "snd_mixer_attach": (_int, _pointer, ctypes.c_char_p),
    "snd_mixer_selem_register": (_int, _pointer, _pointer, _pointer),
    "snd_mixer_load": (_int, _pointer),
    "snd_mixer_first_elem": (_pointer, _pointer),
    "snd_mixer_elem_next": (_pointer, _pointer),
    "snd_mixer_selem_get_name": (ctypes.c_char_p, _pointer),
    "snd_strerror": (ctypes.c_char_p, _int),
}
"""Signatures of the functions used from alsa/mixer.h for both directions: the result, then the arguments."""
_OF_A_DIRECTION: dict[str, tuple[Any, ...]] = {
    "snd_mixer_selem_has_{}_volume": (_int, _pointer),
    "snd_mixer_selem_has_{}_switch": (_int, _pointer),
    "snd_mixer_selem_has_{}_channel": (_int, _pointer, _int),
    "snd_mixer_selem_get_{}_dB_range": (_int, _pointer, _long, _long),
    "snd_mixer_selem_get_{}_dB": (_int, _pointer, _int, _long),
    "snd_mixer_selem_set_{}_dB_all": (_int, _pointer, ctypes.c_long, _int),
    "snd_mixer_selem_get_{}_volume_range": (_int, _pointer, _long, _long),
    "snd_mixer_selem_get_{}_volume": (_int, _pointer, _int, _long),
    "snd_mixer_selem_set_{}_volume_all": (_int, _pointer, ctypes.c_long),
    "snd_mixer_selem_set_{}_switch_all": (_int, _pointer, _int),
}


class Control:
    """One control of a card, as long as its mixer is open; raises `alsaaudio.ALSAAudioError` when the card refuses."""

    def __init__(self, element: int, device: str) -> None:
        self._element = element
        self._device = device
        self.name = _library().snd_mixer_selem_get_name(element).decode(errors="replace")

    def has_volume(self, direction: Direction) -> bool:
        """Whether the control is a volume of this direction."""
        return bool(self._call(direction, "has_{}_volume"))

    def has_switch(self, direction: Direction) -> bool:
        """Whether the control has a switch for this direction."""
        return bool(self._call(direction, "has_{}_switch"))

    def range_db(self, direction: Direction) -> tuple[float, float] | None:
        """The softest and the loudest level in dB, as the driver reports them; None when it reports none."""
        low, high = ctypes.c_long(), ctypes.c_long()
        try:
            self._call(direction, "get_{}_dB_range", low, high)
        except alsaaudio.ALSAAudioError:
            return None
        return low.value / STEPS_PER_DB, high.value / STEPS_PER_DB

    def set_db(self, direction: Direction, gain_db: float) -> float | None:
        """Set every channel to the nearest step and return the loudest channel's level; None when none can be read."""
        self._call(direction, "set_{}_dB_all", round(gain_db * STEPS_PER_DB), NEAREST)
        try:
            read = self._each_channel(direction, "get_{}_dB")
        except alsaaudio.ALSAAudioError:
            return None
        return max(read) / STEPS_PER_DB if read else None

    def is_at_nothing(self, direction: Direction) -> bool:
        """Whether every channel is at its lowest step."""
        low, high = self._steps(direction)
        return all(value <= low for value in self._each_channel(direction, "get_{}_volume")) and low < high

    def turn_up(self, direction: Direction) -> None:
        """Set every channel to its highest step."""
        self._call(direction, "set_{}_volume_all", self._steps(direction)[1])

    def switch(self, direction: Direction, on: bool) -> None:
        """Switch this direction on or off."""
        self._call(direction, "set_{}_switch_all", int(on))

    def _steps(self, direction: Direction) -> tuple[int, int]:
        low, high = ctypes.c_long(), ctypes.c_long()
        self._call(direction, "get_{}_volume_range", low, high)
        return low.value, high.value

    def _each_channel(self, direction: Direction, what: str) -> list[int]:
        values = []
        for channel in CHANNELS:
            if self._call(direction, "has_{}_channel", channel):
                value = ctypes.c_long()
                self._call(direction, what, channel, value)
                values.append(value.value)
        return values

    def _call(self, direction: Direction, what: str, *arguments: Any) -> int:
        function = getattr(_library(), f"snd_mixer_selem_{what.format(direction)}")
        return _checked(function(self._element, *arguments), f"{self.name},{self._device}")


@contextmanager
def opened(device: str) -> Iterator[list[Control]]:
    """Open the controls of the card `device`, as `hw:Device`; `alsaaudio.ALSAAudioError` when the card is absent."""
    hush()
    library, mixer = _library(), ctypes.c_void_p()
    _checked(library.snd_mixer_open(ctypes.byref(mixer), 0), device)
    try:
        _checked(library.snd_mixer_attach(mixer, device.encode()), device)
        _checked(library.snd_mixer_selem_register(mixer, None, None), device)
        _checked(library.snd_mixer_load(mixer), device)
        controls = []
        element = library.snd_mixer_first_elem(mixer)
        while element:
            controls.append(Control(element, device))
            element = library.snd_mixer_elem_next(element)
        yield controls
    finally:
        library.snd_mixer_close(mixer)


def _checked(result: int, what: str) -> int:
    if result < 0:
        raise alsaaudio.ALSAAudioError(f"{_library().snd_strerror(result).decode(errors='replace')} [{what}]")
    return result


@functools.cache
def _library() -> Any:
    library = ctypes.CDLL("libasound.so.2")
    both = {
        name.format(direction): types
        for name, types in _OF_A_DIRECTION.items()
        for direction in ("playback", "capture")
    }
    for name, (result, *arguments) in {**_SIGNATURES, **both}.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
