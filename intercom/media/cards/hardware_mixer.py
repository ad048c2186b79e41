"""The card's own volume controls, where it has any; software does the rest.

Mixers report nonsense: a lowest step that mutes and reads -99999.99 dB, a range of nothing, steps that are worth more
than they say. A control is used only as far as its own numbers bear each other out; software does the rest.
"""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TypeVar

import alsaaudio

from intercom.media.cards import alsa_mixer
from intercom.media.cards.alsa_mixer import Control
from intercom.media.cards.card import Cards
from intercom.media.cards.chosen_cards import DIRECTIONS, ChosenCards
from intercom.media.events import Direction

log = logging.getLogger(__name__)

CONTROLS: dict[Direction, tuple[str, ...]] = {
    "playback": ("speaker", "pcm", "headphone", "headset", "master"),
    "capture": ("mic", "headset", "capture"),
}
"""Names of volume controls in USB and HAT drivers, as `_plain` writes them, the nearest to the air first."""
AUTOMATIC = ("auto gain control",)
"""Names of the automatic-gain controls, which undo every level and cost the canceller 20 dB."""
MUTING_DB = -99_999.99
"""ALSA's reading of a step that mutes (SND_CTL_TLV_DB_GAIN_MUTE)."""
WIDEST_DB = 90.0
"""Limit of a believable range: a wider one is a driver's guess, and its lower half is silent."""
FURTHEST_DB = 60.0
"""Limit of a believable loudest step, either way."""
COARSEST_DB = 3.0
"""Largest shortfall of a step that software makes up for; beyond it a louder step is taken and software attenuates."""
FINEST_DB = 0.5
"""First step upwards from a level that the control does not reach; each further one is twice as far."""
_CARD = re.compile(r"(?:plug)?hw:(?:CARD=)?([A-Za-z0-9_]+)")

T = TypeVar("T")


@dataclass(slots=True)
class HardwareMixer:
    """The controls of one microphone and one speaker."""

    devices: dict[Direction, str]
    """ALSA's control device of each direction; a direction without one is left to software."""
    _refused: bool = False
    _held: dict[str, list[Control]] = field(default_factory=dict)
    _holds: threading.Lock = field(default_factory=threading.Lock)
    """Held by the thread whose controls are in `_held`: one that nobody waits for any more still uses them."""

    @contextmanager
    def held(self) -> Iterator[None]:
        """Open each card's controls once for all that is set meanwhile, on one thread: to open them reads them all.

        Another thread waits: the controls are freed when they are closed, and a hanging card outlasts a command.
        """
        with self._holds, ExitStack() as stack:
            for device in set(self.devices.values()):
                with suppress(alsaaudio.ALSAAudioError):  # told where something is set
                    self._held[device] = stack.enter_context(alsa_mixer.opened(device))
            stack.callback(self._held.clear)
            yield

    def set_db(self, direction: Direction, gain_db: float) -> float:
        """Set the control as near to `gain_db` as it goes and return the dB left to software; takes milliseconds.

        Software never amplifies by more than was asked for: a card that stays softer than that is left as it is.
        """

        def turn(control: Control) -> float | None:
            return _reach(control, direction, gain_db) if control.has_volume(direction) else None

        what = f"the {direction} volume"
        reached_db = self._first(self.devices.get(direction), CONTROLS[direction], turn, what)
        if reached_db is None:
            return gain_db
        return min(gain_db - reached_db, max(gain_db, 0.0) + COARSEST_DB)

    def set_muted(self, direction: Direction, muted: bool) -> None:
        """Set the card's own mute switch: a card that starts muted must be heard. Software mutes as well."""
        what = f"the {direction} switch"
        device = self.devices.get(direction)
        self._first(device, CONTROLS[direction], lambda control: _switch(control, direction, muted), what)

    def freeze(self) -> None:
        """Switch the card's automatic gain off, where it has one."""
        for device in set(self.devices.values()):
            if self._first(device, AUTOMATIC, _switch_off, "the automatic gain"):
                log.info("%s: automatic gain is off", device)

    def _first(
        self, device: str | None, wanted: Sequence[str], use: Callable[[Control], T | None], what: str
    ) -> T | None:
        """Return `use` of the first wanted control that has an answer; skip and log a control that refuses."""
        if device is None:
            return None
        error = None
        try:
            held = self._held.get(device)
            with alsa_mixer.opened(device) if held is None else nullcontext(held) as controls:
                for control in _named(controls, wanted):
                    try:
                        answer = use(control)
                    except alsaaudio.ALSAAudioError as refusal:
                        error = refusal
                        continue
                    if answer is not None:
                        self._refused = False
                        return answer
        except alsaaudio.ALSAAudioError as refusal:
            error = refusal
        if error is not None:
            self._tell(f"{what} of {device} cannot be set", error)
        else:
            self._refused = False
        return None

    def _tell(self, what: str, error: alsaaudio.ALSAAudioError) -> None:
        """Log a refusal, as a warning only the first time: a card that goes away refuses all that follows."""
        level = logging.DEBUG if self._refused else logging.WARNING
        self._refused = True
        log.log(level, "%s (%s); software sets the levels", what, error)


def _reach(control: Control, direction: Direction, gain_db: float) -> float | None:
    """Set the control as near to `gain_db` as is audible and return its level; None when it reports none.

    It passes sound on as it comes then, and software does everything.
    """
    low_db, high_db = control.range_db(direction) or (0.0, 0.0)
    if low_db == MUTING_DB:  # and how soft the next step is, its readings tell
        low_db = high_db - WIDEST_DB
    if low_db < high_db <= min(low_db + WIDEST_DB, FURTHEST_DB) and high_db >= -FURTHEST_DB:
        for tried_db in _upwards(min(max(gain_db, low_db), high_db), high_db):
            reached_db = control.set_db(direction, tried_db)
            if reached_db is not None and max(low_db, tried_db - COARSEST_DB) <= reached_db <= high_db:
                return reached_db
    if low_db < high_db:
        control.set_db(direction, min(max(0.0, low_db), high_db))
    elif control.is_at_nothing(direction):
        control.turn_up(direction)
    return None


def open_mixer(cards: Cards) -> HardwareMixer:
    """Open the controls that belong to these PCMs; none for the simulated card and for names without a card."""
    if not isinstance(cards, ChosenCards):
        return HardwareMixer({})
    found = {direction: _CARD.match(cards.name(direction) or "") for direction in DIRECTIONS}
    return HardwareMixer({direction: f"hw:{match[1]}" for direction, match in found.items() if match})


def _upwards(wanted_db: float, high_db: float) -> Iterator[float]:
    """Return the levels to try, from the wanted one up to the loudest."""
    tried_db, step_db = wanted_db, FINEST_DB
    while tried_db < high_db:
        yield tried_db
        tried_db, step_db = tried_db + step_db, 2 * step_db
    yield high_db


def _named(controls: Sequence[Control], wanted: Sequence[str]) -> Iterator[Control]:
    """Return the controls with any of these names, in the order of the names."""
    return (control for plain in wanted for control in controls if _plain(control.name) == plain)


def _plain(name: str) -> str:
    """Return the name in its plain spelling: descriptors of USB cards add blanks and their own capitals."""
    return " ".join(name.split()).casefold()


def _switch(control: Control, direction: Direction, muted: bool) -> bool | None:
    """Set the mute switch of one control; None when it has none."""
    if not control.has_switch(direction):
        return None
    control.switch(direction, not muted)
    return True


def _switch_off(control: Control) -> bool:
    for direction in DIRECTIONS:
        if control.has_switch(direction):
            control.switch(direction, False)
    return True
