"""The patterns of the lights: one table, which the lights play and `docs/lights.md` prints.

Each pattern differs from every other by its rhythm alone, so that a single-colour light and a colour-blind eye read
it too. No pattern flashes more than three times in any one second (WCAG 2.3.1, photosensitive epilepsy).
"""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeAlias

import msgspec

Colour: TypeAlias = tuple[float, float, float]
"""Red, green and blue, each 0 to 1."""

DARK: Colour = (0.0, 0.0, 0.0)
WHITE: Colour = (1.0, 1.0, 1.0)
BLUE: Colour = (0.0, 0.0, 1.0)
GREEN: Colour = (0.0, 1.0, 0.0)
AMBER: Colour = (1.0, 0.45, 0.0)
RED: Colour = (1.0, 0.0, 0.0)


class Pattern(enum.Enum):
    """A state that the lights can show."""

    OFF = "off"
    IDLE = "idle"
    REGISTERING = "registering"
    PRESSED = "pressed"
    RINGING = "ringing"
    RINGING_MUTE = "ringing without sound"
    IN_CALL = "in call"
    MUTED = "muted"
    DOOR_OPEN = "door open"
    RECOVERING = "recovering"
    FAULT = "fault"
    ERROR = "error"
    GOES_ON = "goes on"
    REPLY = "reply"
    MESSAGE = "message"
    TAMPERED = "tampered"


class Step(msgspec.Struct, frozen=True):
    """One step of a pattern: the light takes `colour` (or `level`, a single light) for `seconds`."""

    colour: Colour
    seconds: float
    fade: bool = False
    """Whether the light fades to the colour during `seconds`, instead of jumping to it."""
    single: float | None = None
    """Brightness of a single light, 0 to 1; None = on when the colour is."""

    @property
    def level(self) -> float:
        """Brightness of a single light, 0 to 1."""
        return max(self.colour) if self.single is None else self.single


class Play(msgspec.Struct, frozen=True):
    """A pattern's steps, played in a loop; a single step is a steady light."""

    steps: tuple[Step, ...]
    meaning: str
    """Meaning for the visitor."""
    look: str
    """Appearance in words."""

    @property
    def period_s(self) -> float:
        """Return the length of one round, in seconds."""
        return sum(step.seconds for step in self.steps)


def _flashes(colour: Colour, count: int, on_s: float, off_s: float) -> tuple[Step, ...]:
    return (Step(colour, on_s), Step(DARK, off_s)) * count


PATTERNS: Mapping[Pattern, Play] = MappingProxyType(
    {
        Pattern.OFF: Play((Step(DARK, 1.0),), "The panel is off.", "dark"),
        Pattern.IDLE: Play(
            (Step(WHITE, 1.0),),
            "Ready: press the button.",
            "steady white",
        ),
        Pattern.REGISTERING: Play(
            (Step(WHITE, 2.0, fade=True), Step(DARK, 2.0, fade=True)),
            "Starting: not connected yet.",
            "white, breathing slowly",
        ),
        Pattern.PRESSED: Play(
            # A single light is on while idle, so that its answer to the press is to go dark at once.
            (Step(BLUE, 0.1, single=0.0), Step(BLUE, 0.5), Step(DARK, 0.1)),
            "Heard you: the house is being called.",
            "blue at once, with quick winks (a single light goes dark at once, then winks)",
        ),
        Pattern.RINGING: Play(
            (*_flashes(BLUE, 1, 0.4, 0.2), *_flashes(BLUE, 1, 0.4, 1.2)),
            "The house rings.",
            "blue, in pairs, like a telephone's bell",
        ),
        Pattern.RINGING_MUTE: Play(
            (*_flashes(AMBER, 1, 0.7, 0.2), *_flashes(AMBER, 1, 0.2, 0.2), *_flashes(AMBER, 1, 0.2, 0.7)),
            "The house rings, but sound is missing here: they may see you and not hear you.",
            "amber, one long and two short",
        ),
        Pattern.IN_CALL: Play(
            _flashes(GREEN, 1, 2.7, 0.3),
            "Speak: somebody hears you.",
            "green, with a short dip every three seconds",
        ),
        Pattern.MUTED: Play(
            (*_flashes(AMBER, 1, 1.6, 0.2), *_flashes(AMBER, 1, 0.4, 0.8)),
            "In a call, but nobody hears you: the far end has muted the microphone.",
            "amber, long then short, and a pause",
        ),
        Pattern.DOOR_OPEN: Play(
            _flashes(GREEN, 1, 0.2, 0.2),
            "The door is open: push.",
            "green, quick and even",
        ),
        Pattern.RECOVERING: Play(
            _flashes(AMBER, 1, 1.0, 1.0),
            "Something is missing (network, sound, camera) and is being mended.",
            "amber, slow and even",
        ),
        Pattern.FAULT: Play(
            (*_flashes(RED, 2, 0.15, 0.25), *_flashes(RED, 1, 0.15, 1.65)),
            "Out of order: it does not mend itself.",
            "red, three short flashes and a pause",
        ),
        Pattern.ERROR: Play(
            (*_flashes(RED, 1, 0.9, 0.2), *_flashes(RED, 1, 0.2, 0.7)),
            "This call did not go through: nobody there, busy or refused.",
            "red, long then short (Morse N, for no)",
        ),
        Pattern.GOES_ON: Play(
            (*_flashes(BLUE, 1, 0.3, 0.2), *_flashes(BLUE, 1, 1.2, 0.3)),
            "Nobody has answered so far: somebody else is being called.",
            "blue, short then long",
        ),
        Pattern.REPLY: Play(
            (Step(GREEN, 0.6, fade=True), Step(DARK, 0.6, fade=True)),
            "The house has a message for you: the door speaks it.",
            "green, breathing quickly",
        ),
        Pattern.MESSAGE: Play(
            (*_flashes(GREEN, 1, 1.4, 0.2), *_flashes(GREEN, 2, 0.2, 0.2)),
            "Nobody answers: speak after the tone, and the house gets your message with your picture. Press to end it.",
            "green, one long and two short",
        ),
        Pattern.TAMPERED: Play(
            (*_flashes(RED, 2, 0.9, 0.2), *_flashes(RED, 1, 0.2, 0.8)),
            "The box was opened: the owner has been told, and no keys open the door for 30 minutes. The bell works.",
            "red, two long and one short",
        ),
    }
)
"""Table of every pattern: the lights play it, and `docs/lights.md` is printed from it."""
