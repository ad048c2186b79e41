"""The visitor's lights and sounds: each follows from the machine's decisions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from intercom.door.machine import Fault, Machine, Phase, State
from intercom.door.voice import Playing, Ready, Voice
from intercom.facts import (
    OPENED,
    Answered,
    CallBegan,
    Ended,
    LockChanged,
    Pressed,
    PressedAgain,
    PressWaits,
    Replied,
    StepBegan,
    Tampered,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.media.sound.format import Samples
from intercom.panel import Pattern

PRESSED_S = 0.5
"""Least time for which the light of a press stays on, so that the visitor sees it."""
CHIME_S = 1.2
"""Delay of the first tone after a press, so that the chime ends before."""
TONE_S = 0.8
"""Delay of a sentence after a short tone, so that the tone ends before."""
GOES_ON_S = 3.0
"""Time for which the light tells who does not hear that somebody else is being called."""
REPLY_S = 4.0
"""Time for which the light tells who does not hear that the house has replied."""
ERROR_S = 3.0
"""Time for which an error is shown: long enough to be understood, short enough for the next visitor."""

ASKED_S = 5.0
"""Time limit of the tone that asks for a message; one that does not end was not heard."""

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
_PASSING = (Pattern.PRESSED, Pattern.ERROR, Pattern.REPLY, Pattern.GOES_ON)
"""Lights of brief signs, the first of which comes before the others."""
_OF_A_RINGING = frozenset({"rings", "goes_on", "please_wait"})
"""Prompts that are no longer true when the ringing is over."""
_WANTED = (OPENED, "ORIGINATOR_CANCEL")
"""Causes of an end of the ringing that somebody at the door, or for the door, wanted."""
_FAILURE_TONES = {"USER_BUSY": "busy", "CALL_REJECTED": "busy", "NO_ANSWER": "reorder", "NO_USER_RESPONSE": "reorder"}


class Sounds(Protocol):
    """The door's sounds."""

    def play(self, name: str, *, repeat: bool = False) -> Playing:
        """Start a tone at once; may be called on any thread."""

    def play_sound(self, name: str, sound: Samples) -> Playing:
        """Start another sound at once."""

    def play_to_far_end(self, name: str) -> None:
        """Let the far end of the call hear a tone."""


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
    """Keeps lights and sounds true to the machine, and speaks of the journal's facts: subscribe `take` to it.

    All but `pressed` and `sound_lost` belong to the event loop.
    """

    def __init__(self, lights: Lights, sounds: Sounds, machine: Machine, loop: Timers, prompts: Ready) -> None:
        self._lights = lights
        self._sounds = sounds
        self._machine = machine
        self._loop = loop
        self._passing: dict[Pattern, asyncio.TimerHandle] = {}
        self._door_open = False
        self._muted = False
        self._trying = False
        self._takes_message = False
        self._tampered = False
        self._tone: Playing | None = None
        self._tone_name = ""
        self._tone_starts: asyncio.TimerHandle | None = None
        self._replied = False
        "the house has replied to this press: the visitor is not told that nobody answers"
        self.voice = Voice(sounds, prompts, loop, changed=self._sound)

    def pressed(self) -> None:
        """Show light and play the chime at once, whatever the event loop is doing: the visitor pressed."""
        self._lights.show(Pattern.PRESSED)
        self._sounds.play("chime")
        self._loop.call_soon_threadsafe(self._was_pressed)

    def _was_pressed(self) -> None:
        self._show_for(Pattern.PRESSED, PRESSED_S)
        self.voice.hush()
        self.voice.after(CHIME_S)

    def take(self, entry: Entry) -> None:
        """Speak of a fact of the journal, where the visitor is to be told of it."""
        match entry.fact:
            case Pressed():
                self._replied = False
            case PressWaits():
                self.voice.prompt("please_wait")
            case PressedAgain() if self._machine.phase is Phase.RINGING_OUT:
                self.voice.prompt("please_wait")
            case CallBegan(call) if call.direction == "outbound":
                self.voice.prompt("rings")
            case StepBegan(step=step) if step > 1:
                self._show_for(Pattern.GOES_ON, GOES_ON_S)
                self.voice.prompt("goes_on")
            case Answered():
                self._replied = False
                self.voice.hush()
            case Ended(call, cause, answered):
                self._ringing_over(cause, unanswered=call.direction == "outbound" and not answered)
            case Unreached(cause=cause):
                self._ringing_over(cause, unanswered=True)
            case LockChanged(is_open=True):
                self.voice.prompt("door_is_open")
            case Tampered(blocks=blocks):
                self._tampered = blocks
                self._lights.show(self.pattern)
            case Replied():
                self._replied = True
                self._show_for(Pattern.REPLY, REPLY_S)
            case _:
                pass

    def _ringing_over(self, cause: str, *, unanswered: bool) -> None:
        self.voice.drop(_OF_A_RINGING)
        if unanswered and cause not in _WANTED and not self._replied:
            self.voice.prompt("nobody_answers")

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
        """Show and sound that the door could not reach the house, for this cause (its FreeSWITCH name).

        Where the house has replied, or the visitor is asked for a message, they know already.
        """
        if self._replied or self._takes_message:
            return
        self._sounds.play(_FAILURE_TONES.get(cause, "error"))
        self.voice.after(TONE_S)
        self._show_for(Pattern.ERROR, ERROR_S)

    def door_changed(self, is_open: bool) -> None:
        """Show that the door was opened, with a sound, or closed."""
        self._door_open = is_open
        if is_open:
            self._sounds.play("door_open")
            self.voice.after(TONE_S)
        self._lights.show(self.pattern)

    def muted(self, on: bool) -> None:
        """Show, or stop showing, that the call goes on and sends nothing of what is said here."""
        if on != self._muted:
            self._muted = on
            self._lights.show(self.pattern)

    def message(self, on: bool) -> None:
        """Show, or stop showing, that the visitor may leave a message."""
        if on != self._takes_message:
            self._takes_message = on
            self._lights.show(self.pattern)

    async def ask_for_message(self) -> bool:
        """Ask the visitor for a message, in words and by a tone; return whether both were played to their end."""
        if not await self.voice.spoken("leave_a_message"):
            return False
        asking = self._sounds.play("message")
        try:
            return await asyncio.to_thread(asking.finished.wait, ASKED_S)
        finally:
            asking.stop()

    def call_ending(self) -> None:
        """Sound that the call reaches its time limit, to both who talk."""
        self._sounds.play("call_ending")
        self._sounds.play_to_far_end("call_ending")

    def auto_answered(self) -> None:
        """Sound that the door answered by itself, so that the visitor knows that it listens."""
        self._sounds.play("incoming")

    def broken(self) -> None:
        """Show that a part failed which only a restart fixes."""
        self._lights.show(Pattern.FAULT)

    def close(self) -> None:
        """Stop all sounds and timers; the panel turns its lights off itself."""
        self.voice.close()
        self._stop_tone()
        for timer in self._passing.values():
            timer.cancel()
        self._passing.clear()

    @property
    def pattern(self) -> Pattern:
        """The present light; brief signs come before lasting ones."""
        if self._door_open:
            return Pattern.DOOR_OPEN
        for passing in _PASSING:
            if passing in self._passing:
                return passing
        if self._is_trying:
            return Pattern.PRESSED
        if self._machine.faults <= _WITHOUT_A_LIGHT and self._machine.phase is not Phase.NONE:
            silenced = self._muted and self._machine.phase is Phase.ACTIVE
            return Pattern.MUTED if silenced else _PHASE_PATTERNS[self._machine.phase]
        if self._machine.faults & _SOUND and self._machine.phase in _RINGING:
            return Pattern.RINGING_MUTE
        lasting = Pattern.TAMPERED if self._tampered else _STATE_PATTERNS[self._machine.state]
        return Pattern.MESSAGE if self._takes_message else lasting

    def _show_for(self, pattern: Pattern, seconds: float) -> None:
        if pattern in self._passing:
            self._passing[pattern].cancel()
        self._passing[pattern] = self._loop.call_later(seconds, self._passed, pattern)
        self._lights.show(self.pattern)

    def _passed(self, pattern: Pattern) -> None:
        del self._passing[pattern]
        self._lights.show(self.pattern)

    def _sound(self) -> None:
        """Start or stop the tone of a lasting state, which is silent while the door speaks."""
        name = "" if self.voice.speaks else self._lasting_tone
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
