"""The door's voice: one sentence after another, silent at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from intercom.door.voice import LATE_S, Voice
from intercom.media.sound.format import RATE_HZ, Samples
from tests.virtual_time import VirtualLoop

SECOND: Samples = np.ones(RATE_HZ, np.int16)


@dataclass
class Sound:
    name: str
    at: float
    stopped: bool = False

    def stop(self) -> None:
        self.stopped = True


@dataclass
class Speaker:
    loop: VirtualLoop
    said: list[Sound] = field(default_factory=list)

    def play_sound(self, name: str, sound: Samples) -> Sound:
        self.said.append(Sound(name, round(self.loop.time(), 3)))
        return self.said[-1]


class Stage:
    """A voice whose time is a number."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.began = self.loop.time()
        self.speaker = Speaker(self.loop)
        self.speaks: list[bool] = []
        self.voice = Voice(
            self.speaker,
            {"rings": SECOND, "door_is_open": SECOND},
            self.loop,
            changed=lambda: self.speaks.append(self.voice.speaks),
        )

    @property
    def said(self) -> list[tuple[str, float]]:
        return [(sound.name, round(sound.at - self.began, 3)) for sound in self.speaker.said]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.loop.close()


def test_sentences_follow_one_another(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.voice.prompt("door_is_open")
    stage.loop.wait(5)
    assert stage.said == [("rings", 0.0), ("door_is_open", 1 + LATE_S)]
    assert (stage.speaks[0], stage.speaks[-1]) == (True, False)


def test_a_sentence_waits_for_the_tone_before_it(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.voice.after(0.8)
    stage.loop.wait(5)
    assert stage.said == [("rings", 0.8)]


def test_a_tone_does_not_cut_off_what_is_being_said(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.loop.wait(0.5)
    stage.voice.after(3.0)
    stage.voice.prompt("door_is_open")
    stage.loop.wait(5)
    assert stage.said == [("rings", 0.0), ("door_is_open", 1 + LATE_S)]


def test_what_is_being_said_is_not_said_twice(stage: Stage) -> None:
    for _ in range(3):
        stage.voice.prompt("rings")
        stage.loop.wait(0.1)
    stage.loop.wait(5)
    assert len(stage.said) == 1


def test_what_the_door_does_not_speak_is_left_out(stage: Stage) -> None:
    stage.voice.prompt("goes_on")
    stage.loop.wait(5)
    assert (stage.said, stage.voice.speaks) == ([], False)


def test_hushed_it_stops_and_forgets_what_waits(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.voice.prompt("door_is_open")
    stage.loop.wait(0.5)
    stage.voice.hush()
    assert stage.speaker.said[0].stopped
    stage.loop.wait(5)
    assert [name for name, _ in stage.said] == ["rings"]


def test_a_dropped_sentence_lets_the_next_one_come_at_once(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.voice.prompt("door_is_open")
    stage.loop.wait(0.5)
    stage.voice.drop({"rings"})
    stage.loop.wait(5)
    assert stage.said == [("rings", 0.0), ("door_is_open", 0.5)]


def test_a_sentence_of_the_house_takes_the_place_of_the_prompts_and_is_waited_for(stage: Stage) -> None:
    stage.voice.prompt("rings")
    stage.loop.wait(0.5)

    async def say() -> bool:
        return await stage.voice.say(SECOND)

    assert stage.loop.run(say())
    assert stage.said == [("rings", 0.0), ("sentence", 0.5)]
    assert stage.speaker.said[0].stopped


def test_who_has_the_door_say_something_learns_that_it_was_cut_short(stage: Stage) -> None:
    async def say() -> bool:
        speaking = asyncio.ensure_future(stage.voice.say(SECOND))
        await asyncio.sleep(0.5)
        stage.voice.hush()
        return await speaking

    assert not stage.loop.run(say())
