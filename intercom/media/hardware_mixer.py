"""The card's own volume controls, where it has any: what they cannot do is left to software."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

import alsaaudio

from intercom.media.card import AlsaCards, Cards
from intercom.media.chosen_card import DIRECTIONS, ChosenCards
from intercom.media.events import Direction

log = logging.getLogger(__name__)

CONTROLS: dict[Direction, tuple[str, ...]] = {
    "playback": ("Speaker", "PCM", "Headphone", "Master"),
    "capture": ("Mic", "Capture"),
}
"""As USB and HAT drivers call them, the nearest to the air first."""
AUTOMATIC = "Auto Gain Control"
"""Undoes every level, and costs the canceller 20 dB."""
STEPS_PER_DB = 100
_CARD = re.compile(r"(?:plug)?hw:(?:CARD=)?([A-Za-z0-9_]+)")


@dataclass(slots=True)
class HardwareMixer:
    """The controls of one microphone and one speaker."""

    devices: dict[Direction, str]
    """ALSA's control device of each direction; a direction without one is software's."""
    _refused: bool = False

    def set_db(self, direction: Direction, gain_db: float) -> float:
        """Bring the control as near to `gain_db` as it goes; what software has to add, in dB. Takes milliseconds."""
        device = self.devices.get(direction)
        if device is None:
            return gain_db
        try:
            left_db = self._set(device, direction, gain_db)
        except alsaaudio.ALSAAudioError as error:
            self._tell(f"the {direction} volume of {device} cannot be set", error)
            return gain_db
        self._refused = False
        return left_db

    def set_muted(self, direction: Direction, muted: bool) -> None:
        """Turn the card's own switch, where it has one: a card that comes muted is heard. Software mutes as well."""
        device = self.devices.get(direction)
        if device is None:
            return
        try:
            for name in CONTROLS[direction]:
                if self._switch(device, direction, name, muted):
                    return
        except alsaaudio.ALSAAudioError as error:
            self._tell(f"the {direction} switch of {device} cannot be turned", error)

    def freeze(self) -> None:
        """Switch the card's automatic gain off, where it has one."""
        for device in set(self.devices.values()):
            try:
                if AUTOMATIC not in alsaaudio.mixers(device=device):
                    continue
                control = alsaaudio.Mixer(AUTOMATIC, device=device)
                try:
                    _switch_off(control)
                finally:
                    control.close()
                log.info("%s: automatic gain is off", device)
            except alsaaudio.ALSAAudioError as error:
                self._tell(f"the automatic gain of {device} cannot be switched off", error)

    def _tell(self, what: str, error: alsaaudio.ALSAAudioError) -> None:
        """A card that goes while it is set refuses all that follows: that is one fact."""
        level = logging.DEBUG if self._refused else logging.WARNING
        self._refused = True
        log.log(level, "%s (%s); software sets the levels", what, error)

    @staticmethod
    def _switch(device: str, direction: Direction, name: str, muted: bool) -> bool:
        """Turn one control's switch; False when it has none."""
        if name not in alsaaudio.mixers(device=device):
            return False
        control = alsaaudio.Mixer(name, device=device)
        try:
            there = control.switchcap()
            if direction == "capture" and any("Capture" in word for word in there):
                control.setrec(int(not muted))
            elif direction == "playback" and any(
                word in {"Mute", "Joined Mute"} or "Playback" in word for word in there
            ):
                control.setmute(int(muted))
            else:
                return False
        finally:
            control.close()
        return True

    @staticmethod
    def _set(device: str, direction: Direction, gain_db: float) -> float:
        kind = alsaaudio.PCM_PLAYBACK if direction == "playback" else alsaaudio.PCM_CAPTURE
        there = alsaaudio.mixers(device=device)
        for name in CONTROLS[direction]:
            if name not in there:
                continue
            control = alsaaudio.Mixer(name, device=device)
            try:
                if not any(word in control.volumecap() for word in _words(direction)):
                    continue
                low, high = control.getrange(kind, alsaaudio.VOLUME_UNITS_DB)
                if low >= high:
                    continue  # it does not say what its steps are worth
                wanted = min(max(round(gain_db * STEPS_PER_DB), low), high)
                control.setvolume(wanted, pcmtype=kind, units=alsaaudio.VOLUME_UNITS_DB)
                (reached, *_) = control.getvolume(kind, alsaaudio.VOLUME_UNITS_DB)
            finally:
                control.close()
            return gain_db - float(reached) / STEPS_PER_DB
        return gain_db


def open_mixer(cards: Cards) -> HardwareMixer:
    """The controls that belong to these PCMs; none for the simulated card and for names that tell no card."""
    names: dict[Direction, str]
    if isinstance(cards, ChosenCards):
        names = {direction: cards.name(direction) or "" for direction in DIRECTIONS}
    elif isinstance(cards, AlsaCards):
        names = {"capture": cards.capture, "playback": cards.playback}
    else:
        return HardwareMixer({})
    found = {direction: _CARD.match(name) for direction, name in names.items()}
    return HardwareMixer({direction: f"hw:{match[1]}" for direction, match in found.items() if match})


def _words(direction: Direction) -> tuple[str, ...]:
    kind = "Playback" if direction == "playback" else "Capture"
    return ("Volume", f"{kind} Volume", "Joined Volume", f"Joined {kind} Volume", f"{kind} Joined Volume")


def _switch_off(control: alsaaudio.Mixer) -> None:
    if any("Capture" in word for word in control.switchcap()):
        control.setrec(0)
    else:
        control.setmute(1)
