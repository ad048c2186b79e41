"""The visitor's lights and sounds: each follows from the machine's decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from intercom.door.machine import Fault, Machine, Phase, State
from intercom.panel import Pattern

PRESSED_S = 0.5
"""Least time for which the light of a press stays on, so that the visitor sees it."""
CHIME_S = 1.2
"""Delay of the first tone after a press, so that the chime ends before."""
ERROR_S = 3.0
"""Time for which an error is shown: long enough to be understood, short enough for the next visitor."""

_STATE_PATTERNS = {
    State.IDLE: Pattern.IDLE,
    State.REGISTERING: Pattern.REGISTERING,
    State.RINGING: Pattern.RINGING,
    State.IN_CALL: Pattern.IN_CALL,
    State.RECOVERING: Pattern.RECOVERING,
}
_PHASE_PATTERNS = {
    Phase.RINGING_OUT: Pattern.RINGING,
    Phase.RINGING_IN: Pattern.RINGING,
    Phase.ACTIVE: Pattern.IN_CALL,
}
_WITHOUT_A_LIGHT = {Fault.CAMERA}
"""Faults without a light: the visitor neither sees nor fixes them, and can talk all the same."""
_WITHOUT_SOUND = {
    Pattern.IDLE: Pattern.RECOVERING,
    Pattern.REGISTERING: Pattern.RECOVERING,
    Pattern.IN_CALL: Pattern.RECOVERING,
    Pattern.RINGING: Pattern.RINGING_MUTE,
}
"""Lights that replace another when sound is lost; brief signs and an open door come first."""
_PRESSED = {Phase.NONE, Phase.RINGING_OUT}
"""Phases in which a press that waits or redials keeps its light and tone."""
_RINGING = {Phase.RINGING_OUT, Phase.RINGING_IN}
_SOUND = {Fault.MICROPHONE, Fault.SPEAKER}
_FAILURE_TONES = {"USER_BUSY": "busy", "CALL_REJECTED": "busy", "NO_ANSWER": "reorder", "NO_USER_RESPONSE": "reorder"}


class Playing(Protocol):
    """A sound in progress."""

    def stop(self) -> None:
        """Stop the sound."""


class Sounds(Protocol):
    """The door's sounds."""

    def play(self, name: str, *, repeat: bool = False) -> Playing:
        """Start a sound at once; may be called on any thread."""


class Lights(Protocol):
    """The door's lights."""

    def show(self, pattern: Pattern) -> None:
        """Change the light at once; may be called on any thread."""


class Timers(Protocol):
    """The clock of an event loop."""

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        """Call back after `delay` seconds."""

    def call_soon_threadsafe(self, callback: Callable[..., object], *arguments: Any) -> object:
        """Call back on the loop's own thread."""


class Feedback:
    """Keeps lights and sounds true to the machine. All but `pressed` and `sound_lost` belong to the event loop."""

    def __init__(self, lights: Lights, sounds: Sounds, machine: Machine, loop: Timers) -> None:
        self._lights = lights
        self._sounds = sounds
        self._machine = machine
        self._loop = loop
        self._passing: dict[Pattern, asyncio.TimerHandle] = {}
        self._door_open = False
        self._muted = False
        self._trying = False
        self._tone: Playing | None = None
        self._tone_name = ""
        self._tone_starts: asyncio.TimerHandle | None = None

    def pressed(self) -> None:
        """Show light and play the chime at once, whatever the event loop is doing: the visitor pressed."""
        self._lights.show(Pattern.PRESSED)
        self._sounds.play("chime")
        self._loop.call_soon_threadsafe(self._show_for, Pattern.PRESSED, PRESSED_S)

    def update(self) -> None:
        """Update light and sound after a decision of the machine."""
        self._lights.show(self.pattern)
        self._sound()

    def trying(self, on: bool) -> None:
        """Show, or stop showing, that a press waits for somebody: its light stays, and a soft tone confirms it."""
        if on != self._trying:
            self._trying = on
            self.update()

    def sound_lost(self) -> None:
        """Show the loss of the microphone or speaker at once, whatever the event loop is doing."""
        without = _WITHOUT_SOUND.get(self.pattern)
        if without is not None:
            self._lights.show(without)

    def failed(self, cause: str) -> None:
        """Show and sound that the door could not reach the house, for this cause (its FreeSWITCH name)."""
        self._sounds.play(_FAILURE_TONES.get(cause, "error"))
        self._show_for(Pattern.ERROR, ERROR_S)

    def door_changed(self, is_open: bool) -> None:
        """Show that the door was opened, with a sound, or closed."""
        self._door_open = is_open
        if is_open:
            self._sounds.play("door_open")
        self._lights.show(self.pattern)

    def muted(self, on: bool) -> None:
        """Show, or stop showing, that the call goes on and sends nothing of what is said here."""
        if on != self._muted:
            self._muted = on
            self._lights.show(self.pattern)

    def call_ending(self) -> None:
        """Sound that the call reaches its time limit."""
        self._sounds.play("call_ending")

    def auto_answered(self) -> None:
        """Sound that the door answered by itself, so that the visitor knows that it listens."""
        self._sounds.play("incoming")

    def broken(self) -> None:
        """Show that a part failed which only a restart fixes."""
        self._lights.show(Pattern.FAULT)

    def close(self) -> None:
        """Stop all sounds and timers; the panel turns its lights off itself."""
        self._stop_tone()
        for timer in self._passing.values():
            timer.cancel()
        self._passing.clear()

    @property
    def pattern(self) -> Pattern:
        """The present light; brief signs come before lasting ones."""
        if self._door_open:
            return Pattern.DOOR_OPEN
        for passing in (Pattern.PRESSED, Pattern.ERROR):
            if passing in self._passing:
                return passing
        if self._is_trying:
            return Pattern.PRESSED
        if self._machine.faults <= _WITHOUT_A_LIGHT and self._machine.phase is not Phase.NONE:
            silenced = self._muted and self._machine.phase is Phase.ACTIVE
            return Pattern.MUTED if silenced else _PHASE_PATTERNS[self._machine.phase]
        if self._machine.faults & _SOUND and self._machine.phase in _RINGING:
            return Pattern.RINGING_MUTE
        return _STATE_PATTERNS[self._machine.state]

    def _show_for(self, pattern: Pattern, seconds: float) -> None:
        if pattern in self._passing:
            self._passing[pattern].cancel()
        self._passing[pattern] = self._loop.call_later(seconds, self._passed, pattern)
        self._lights.show(self.pattern)

    def _passed(self, pattern: Pattern) -> None:
        del self._passing[pattern]
        self._lights.show(self.pattern)

    def _sound(self) -> None:
        """Start or stop the tone of a lasting state."""
        name = self._lasting_tone
        if name == self._tone_name:
            return
        self._stop_tone()
        self._tone_name = name
        if name and self._machine.phase in _PRESSED:
            self._tone_starts = self._loop.call_later(CHIME_S, self._start_tone, name)
        elif name:
            self._start_tone(name)

    @property
    def _is_trying(self) -> bool:
        return self._trying and self._machine.phase in _PRESSED

    @property
    def _lasting_tone(self) -> str:
        if self._is_trying:
            return "mending"
        match self._machine.phase:
            case Phase.RINGING_OUT:
                return "ringback"
            case Phase.RINGING_IN:
                return "incoming"
            case Phase.ACTIVE if Fault.MEDIA in self._machine.faults:
                return "mending"
        return ""

    def _start_tone(self, name: str) -> None:
        self._tone = self._sounds.play(name, repeat=True)

    def _stop_tone(self) -> None:
        self._tone_name = ""
        if self._tone_starts is not None:
            self._tone_starts.cancel()
            self._tone_starts = None
        if self._tone is not None:
            self._tone.stop()
            self._tone = None
