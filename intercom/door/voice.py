"""The door's voice: it speaks one sentence after another, each after the tone before it, and is silent at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, Protocol

from intercom.media.sound.format import RATE_HZ, Samples

LATE_S = 0.1
"""Time that the card takes until a sentence is heard: the next sound follows its end."""


class Playing(Protocol):
    """A sound in progress."""

    @property
    def finished(self) -> threading.Event:
        """Set when its last block was played, or it was stopped."""

    def stop(self) -> None:
        """Stop the sound."""


class Speaker(Protocol):
    """What plays a sentence; the audio engine is one."""

    def play_sound(self, name: str, sound: Samples) -> Playing:
        """Play a sound at once."""


class Ready(Protocol):
    """The prompts that are ready; `Prompts` is one."""

    def get(self, name: str) -> Samples | None:
        """Return a prompt; None when the door does not speak it."""


class Timers(Protocol):
    """The clock of an event loop."""

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> asyncio.TimerHandle:
        """Call back after `delay` seconds."""


@dataclass(slots=True, eq=False)
class _Sentence:
    name: str
    "name of the prompt; empty for a sentence of the house"
    sound: Samples
    spoken: asyncio.Future[bool] | None = None


class Voice:
    """Speaks to the visitor. Belongs to the event loop.

    :param changed: called when it begins to speak, and when it has nothing more to say.
    """

    def __init__(self, speaker: Speaker, prompts: Ready, timers: Timers, *, changed: Callable[[], object]) -> None:
        self._speaker = speaker
        self._prompts = prompts
        self._timers = timers
        self._changed = changed
        self._waiting: list[_Sentence] = []
        self._present: _Sentence | None = None
        self._playing: Playing | None = None
        self._timer: asyncio.TimerHandle | None = None
        "end of the present sentence, or of the tone before the next"

    @property
    def speaks(self) -> bool:
        """Whether it speaks, or is about to."""
        return self._present is not None or bool(self._waiting)

    def prompt(self, name: str) -> None:
        """Speak a prompt when those before it are over; one that the door does not speak, or speaks already, is not."""
        sound = self._prompts.get(name)
        if sound is not None and all(sentence.name != name for sentence in [*self._waiting, self._present] if sentence):
            self._add(_Sentence(name, sound))

    async def spoken(self, name: str) -> bool:
        """Speak a prompt when those before it are over; return whether it was spoken to its end, or is none of ours."""
        sound = self._prompts.get(name)
        if sound is None:
            return True
        spoken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._add(_Sentence(name, sound, spoken))
        return await spoken

    async def say(self, sound: Samples) -> bool:
        """Speak a sentence of the house's, in place of all prompts; return whether it was spoken to its end."""
        spoken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.hush()
        self._add(_Sentence("", sound, spoken))
        return await spoken

    def after(self, seconds: float) -> None:
        """Let the next sentence wait for a tone that lasts so long."""
        if self._present is None:
            self._wait(seconds)

    def hush(self) -> None:
        """Stop at once, and say nothing of what waits."""
        self.drop({sentence.name for sentence in [*self._waiting, self._present] if sentence})

    def drop(self, names: Collection[str]) -> None:
        """Stop at once if one of these is being spoken, and say none of them that waits."""
        dropped = [sentence for sentence in self._waiting if sentence.name in names]
        self._waiting = [sentence for sentence in self._waiting if sentence.name not in names]
        for sentence in dropped:
            _settle(sentence, spoken=False)
        if self._present is not None and self._present.name in names:
            if self._playing is not None:
                self._playing.stop()
            self._ended(spoken=False)
            self._wait(0)
        if not self.speaks:
            self._changed()

    def close(self) -> None:
        """Stop for good."""
        self.hush()
        if self._timer is not None:
            self._timer.cancel()

    def _add(self, sentence: _Sentence) -> None:
        self._waiting.append(sentence)
        if self._timer is None:
            self._wait(0)  # a tone that the same decision plays comes before it
        self._changed()

    def _wait(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._timers.call_later(seconds, self._next)

    def _next(self) -> None:
        self._timer = None
        self._ended(spoken=True)
        if self._waiting:
            self._present = self._waiting.pop(0)
            self._playing = self._speaker.play_sound(self._present.name or "sentence", self._present.sound)
            self._wait(len(self._present.sound) / RATE_HZ + LATE_S)
        else:
            self._changed()

    def _ended(self, *, spoken: bool) -> None:
        sentence, self._present, self._playing = self._present, None, None
        if sentence is not None:
            _settle(sentence, spoken=spoken)


def _settle(sentence: _Sentence, *, spoken: bool) -> None:
    if sentence.spoken is not None and not sentence.spoken.done():
        sentence.spoken.set_result(spoken)
