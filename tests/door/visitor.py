"""A visitor before a door, who remembers what was shown and played, for the tests of its lights, tones and voice."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from intercom.door.feedback import Feedback
from intercom.door.machine import Machine
from intercom.facts import CallBegan, CallIdentity, Ended, Fact, Pressed
from intercom.history.journal import Journal
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.panel import Pattern

CALL = CallIdentity("call", "outbound", "/private/house")
INCOMING = CallIdentity("call", "inbound", "/private/anna")
SENTENCE: Samples = np.ones(RATE_HZ, np.int16)


@dataclass
class Sound:
    name: str
    repeat: bool
    stopped: bool = False
    finished: threading.Event = field(default_factory=threading.Event)

    def stop(self) -> None:
        self.stopped = True


@dataclass
class Visitor:
    """Remembers what was shown and played."""

    shown: list[Pattern] = field(default_factory=list)
    played: list[Sound] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    "what the far end heard of the door's tones"

    def show(self, pattern: Pattern) -> None:
        self.shown.append(pattern)

    def play(self, name: str, *, repeat: bool = False) -> Sound:
        self.played.append(Sound(name, repeat))
        return self.played[-1]

    def play_sound(self, name: str, sound: Samples) -> Sound:
        self.said.append(name)
        return self.play(name)

    def play_to_far_end(self, name: str) -> None:
        self.told.append(name)

    @property
    def sounding(self) -> list[str]:
        return [sound.name for sound in self.played if sound.repeat and not sound.stopped]


class LateLoop:
    """Timers that a test lets run out by hand."""

    def __init__(self) -> None:
        self.timers: list[tuple[float, object, tuple[object, ...], asyncio.TimerHandle]] = []

    def call_later(self, delay: float, callback: object, *arguments: object) -> asyncio.TimerHandle:
        loop = asyncio.get_running_loop()
        handle = loop.call_later(3600, lambda: None)
        self.timers.append((delay, callback, arguments, handle))
        return handle

    def call_soon_threadsafe(self, callback: object, *arguments: object) -> None:
        assert callable(callback)
        callback(*arguments)

    def run_out(self) -> None:
        timers, self.timers = self.timers, []
        for _, callback, arguments, handle in timers:
            if not handle.cancelled():
                assert callable(callback)
                callback(*arguments)


@dataclass
class Scene:
    visitor: Visitor
    machine: Machine
    feedback: Feedback
    loop: LateLoop
    journal: Journal

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)

    def rings(self) -> int:
        """The visitor presses, and the house rings; return the call's ticket."""
        self.feedback.pressed()
        ticket = self.machine.press().call
        assert ticket is not None
        self.tell(Pressed("/private/house"), CallBegan(CALL))
        return ticket

    def ends(self, ticket: int, cause: str) -> None:
        self.tell(Ended(CALL, cause, answered=False))
        self.machine.ended(ticket)


def made(prompts: dict[str, Samples]) -> Scene:
    visitor, loop = Visitor(), LateLoop()
    machine, journal = Machine(), Journal(raises)
    feedback = Feedback(visitor, visitor, machine, loop, prompts)
    machine.on_decision = lambda decision: feedback.update()
    journal.subscribe(feedback.take)
    machine.now_registered()
    return Scene(visitor, machine, feedback, loop, journal)


def raises(error: Exception) -> Any:
    raise error
