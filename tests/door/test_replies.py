"""Quick replies, as the door decides them: a real voice from espeak-ng, a service of a few lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from intercom.config import CallConfig, Config, ReplyConfig
from intercom.config.prompts import PromptsConfig
from intercom.door.auto_reply import AutoReply
from intercom.door.replies import Replies, ReplyRefusedError
from intercom.door.voice import Voice
from intercom.facts import Answered, CallBegan, CallIdentity, DoorOpened, Ended, Fact, Pressed, RangAgain, Replied
from intercom.history.journal import Journal
from intercom.media.prompts import speech
from intercom.media.prompts.prompts import Prompts
from intercom.media.prompts.sentences import sentence
from intercom.media.sound.format import Samples
from intercom.signalwire import SignalWire

PATIENCE_S = 60.0
CALL = CallIdentity("ring", "outbound", "/private/house")
NEXT = CallIdentity("next", "outbound", "/private/house")
KITCHEN = {"number": "/private/kitchen", "name": "Kitchen\x1b[2J"}
ENGLISH = PromptsConfig(languages=("en",))


class Service:
    """What the door says to its space, in order."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.session = self

    async def execute(self, method: str, params: Mapping[str, Any]) -> None:
        self.said.append((method, dict(params)))

    def of(self, method: str) -> list[dict[str, Any]]:
        return [params for said, params in self.said if said == method]


class Sound:
    def stop(self) -> None:
        """End at once: nobody listens."""


class Door:
    """A door's replies, its voice and its journal."""

    def __init__(self, directory: Path, config: Config) -> None:
        self.service = Service()
        self.defects: list[BaseException] = []
        self.facts: list[Fact] = []
        self.spoken: list[Samples] = []
        self.journal = Journal(self.defects.append)
        self.prompts = Prompts(config.prompts.languages, cache=directory / "prompts")
        self.voice = Voice(self, self.prompts, asyncio.get_running_loop(), changed=lambda: None)
        self.auto = AutoReply(config.prompts, directory)
        self.replies = Replies(
            config,
            auto=self.auto,
            prompts=self.prompts,
            voice=self.voice,
            client=cast(SignalWire, self.service),
            tell=self.journal.tell,
            on_defect=self.defects.append,
        )
        self.journal.subscribe(self.replies.hear)
        self.journal.subscribe(lambda entry: self.facts.append(entry.fact))

    def play_sound(self, name: str, sound: Samples) -> Sound:
        del name
        self.spoken.append(sound)
        return Sound()

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)

    @property
    def answers(self) -> list[dict[str, Any]]:
        return self.service.of("intercom.say.answer")

    @property
    def said(self) -> list[tuple[str, str]]:
        return [(fact.text, fact.by) for fact in self.facts if isinstance(fact, Replied)]

    async def ask(self, words: str, *, call_id: str = "ring") -> dict[str, Any]:
        """A page asks; return the door's answer."""
        before = len(self.answers)
        self.replies.take("intercom.say", {"say": "1", "callID": call_id, "by": KITCHEN, "words": words})
        await self.answered(before + 1)
        return {name: value for name, value in self.answers[-1].items() if name != "say"}

    async def answered(self, count: int) -> None:
        await self.until(lambda: len(self.answers) >= count)

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not holds():
                await asyncio.sleep(0.01)

    async def settle(self) -> None:
        for _ in range(20):
            await asyncio.sleep(0)

    async def stop(self) -> None:
        await self.replies.stop()
        self.voice.close()
        assert self.defects == []


def slow_voice(ready: asyncio.Event) -> Callable[[str, str], Awaitable[Samples]]:
    """A voice that needs a while, as on a small board."""

    async def sentence(_language: str, _text: str) -> Samples:
        await ready.wait()
        return np.zeros(480, np.int16)

    return sentence


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the voice take as long as a busy machine needs; a door would call itself dumb by then."""
    monkeypatch.setattr(speech, "TIME_LIMIT_S", 2 * PATIENCE_S)


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[Door]:
    door = Door(tmp_path, Config(prompts=ENGLISH))
    yield door
    await door.stop()


async def test_a_page_that_is_rung_has_the_door_speak_and_the_house_learns_it(door: Door) -> None:
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    assert await door.ask("  I am   coming.\n") == {"said": "I am coming."}
    assert door.said == [("I am coming.", "Kitchen?[2J")]
    await door.until(lambda: door.spoken and door.service.of("intercom.said"))
    assert door.service.of("intercom.said") == [{"callID": "ring", "text": "I am coming.", "by": "Kitchen?[2J"}]


async def test_a_reply_goes_by_its_name(door: Door) -> None:
    door.tell(CallBegan(CALL))
    assert await door.ask("parcel") == {"said": sentence("en", "reply.parcel")}


async def test_the_door_tells_which_replies_it_has(door: Door) -> None:
    replies = (await door.ask(""))["replies"]
    assert [reply["name"] for reply in replies] == ["coming", "parcel", "wait", "away"]
    assert replies[0]["text"] == sentence("en", "reply.coming")


async def test_the_owner_s_replies_take_the_place_of_the_door_s_own(tmp_path: Path) -> None:
    replies = (
        ReplyConfig(name="garage", text="In die Garage, bitte."),
        ReplyConfig(name="late", text="Six", language="en"),
    )
    door = Door(tmp_path, Config(prompts=PromptsConfig(languages=("de", "en")), reply=replies))
    assert [(reply.name, reply.language) for reply in door.replies.prepared] == [("garage", "de"), ("late", "en")]
    assert [reply["name"] for reply in (await door.ask(""))["replies"]] == ["garage", "late"]
    await door.stop()


async def test_the_door_s_own_replies_can_still_be_named(tmp_path: Path) -> None:
    replies = (ReplyConfig(name="coming", text="Moment!"),)
    door = Door(tmp_path, Config(prompts=PromptsConfig(languages=("de",)), reply=replies))
    door.tell(CallBegan(CALL))
    assert await door.ask("coming") == {"said": "Moment!"}
    await door.until(lambda: not door.replies._speaking)
    assert await door.replies.say("wait", by="anna") == sentence("de", "reply.wait")
    await door.stop()


async def test_a_door_without_a_language_has_no_replies_and_speaks_none(tmp_path: Path) -> None:
    door = Door(tmp_path, Config())
    door.tell(CallBegan(CALL))
    assert await door.ask("") == {"replies": []}
    assert await door.ask("Hello") == {"refused": "silent"}
    with pytest.raises(ReplyRefusedError, match=r"prompts\.languages"):
        await door.replies.say("Hello", by="anna")
    await door.stop()


async def test_a_door_that_cannot_speak_says_why(
    tmp_path: Path, door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    door.tell(CallBegan(CALL))
    caplog.set_level("INFO")
    assert await door.ask("Hello") == {"refused": "silent"}
    assert "apt-get install espeak-ng" in caplog.text
    assert door.said == []


@pytest.mark.parametrize("words", ["x" * 201, "...", "?!"])
async def test_what_is_no_sentence_is_refused(door: Door, words: str) -> None:
    door.tell(CallBegan(CALL))
    assert await door.ask(words) == {"refused": "words"}


async def test_the_door_speaks_one_reply_at_a_time(door: Door) -> None:
    await door.replies.say("One", by="anna")
    with pytest.raises(ReplyRefusedError, match="already"):
        await door.replies.say("Two", by="anna")


async def test_a_reply_belongs_to_the_call_that_rings_now(door: Door) -> None:
    door.tell(CallBegan(CALL), RangAgain("ring", NEXT))
    assert await door.ask("Hello") == {"refused": "not-ringing"}
    assert await door.ask("Hello", call_id="next") == {"said": "Hello"}


async def test_a_sentence_whose_voice_is_ready_too_late_is_not_spoken(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready = asyncio.Event()
    monkeypatch.setattr(door.prompts, "sentence", slow_voice(ready))
    door.tell(CallBegan(CALL))
    asking = asyncio.create_task(door.ask("One moment, please"))
    await door.settle()
    door.tell(Ended(CALL, "ORIGINATOR_CANCEL", answered=False))
    ready.set()
    assert await asking == {"refused": "not-ringing"}
    assert (door.spoken, door.said) == ([], [])
    assert await door.replies.say("One moment, please", by="anna") == "One moment, please"


async def test_a_reply_of_the_door_itself_whose_voice_is_ready_too_late_is_not_spoken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompts = PromptsConfig(languages=("en",), auto_reply_s=0.01, auto_reply="A moment, please.")
    door, ready = Door(tmp_path, Config(prompts=prompts)), asyncio.Event()
    monkeypatch.setattr(door.prompts, "sentence", slow_voice(ready))
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    await door.until(lambda: door.replies._speaking)
    door.tell(Answered(CALL))
    ready.set()
    await door.until(lambda: not door.replies._speaking)
    assert (door.spoken, door.said) == ([], [])
    await door.stop()


async def test_a_call_that_is_over_has_no_replies(door: Door) -> None:
    door.tell(CallBegan(CALL), Ended(CALL, "NO_ANSWER", answered=False))
    assert await door.ask("Hello") == {"refused": "not-ringing"}


async def test_a_command_speaks_without_a_call_and_is_named(door: Door) -> None:
    assert await door.replies.say("coming", by="ssh anna (root)") == sentence("en", "reply.coming")
    await door.until(lambda: door.spoken)
    assert door.said == [(sentence("en", "reply.coming"), "ssh anna (root)")]
    assert door.service.said == []


class Waiting(Door):
    """A door that replies by itself after a moment."""

    def __init__(self, directory: Path, after_s: float = 0.05, reply: str = "wait") -> None:
        prompts = PromptsConfig(languages=("en",), auto_reply_s=after_s, auto_reply=reply)
        super().__init__(directory, Config(prompts=prompts, call=CallConfig(ring_time_s=600)))


@pytest.mark.parametrize(("reply", "text"), [("wait", sentence("en", "reply.wait")), ("Back at six.", "Back at six.")])
async def test_after_a_while_the_door_replies_by_itself(tmp_path: Path, reply: str, text: str) -> None:
    door = Waiting(tmp_path, reply=reply)
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    await door.until(lambda: door.service.of("intercom.said"))
    assert door.said == [(text, "")]
    assert door.service.of("intercom.said") == [{"callID": "ring", "text": text, "by": ""}]
    await door.stop()


@pytest.mark.parametrize(
    "fact",
    [
        Answered(CALL),
        Ended(CALL, "ORIGINATOR_CANCEL", answered=False),
        DoorOpened("anna"),
        Replied("I am coming.", "Anna"),
    ],
    ids=lambda fact: type(fact).__name__,
)
async def test_it_does_not_where_somebody_was_quicker(tmp_path: Path, fact: Fact) -> None:
    door = Waiting(tmp_path, after_s=600)
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    timer = door.replies._auto_timer
    assert timer is not None
    door.tell(fact)
    assert timer.cancelled()
    await door.stop()


async def test_it_does_not_once_it_is_switched_off_while_it_rings(tmp_path: Path) -> None:
    door = Waiting(tmp_path, after_s=600)
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    door.auto.set(on=False)
    door.replies._reply_by_itself()
    await door.settle()
    assert door.said == []
    await door.stop()


def test_the_switch_is_kept_over_a_restart(tmp_path: Path) -> None:
    prompts = PromptsConfig(languages=("en",), auto_reply_s=20.0)
    assert AutoReply(prompts, tmp_path).is_on is True
    AutoReply(prompts, tmp_path).set(on=False)
    assert AutoReply(prompts, tmp_path).is_on is False
    AutoReply(prompts, tmp_path).set(on=True)
    assert AutoReply(prompts, tmp_path).is_on is True


@pytest.mark.parametrize(
    "prompts", [PromptsConfig(), PromptsConfig(languages=("en",)), PromptsConfig(auto_reply_s=5.0)]
)
def test_a_door_that_never_replies_by_itself_has_no_switch(tmp_path: Path, prompts: PromptsConfig) -> None:
    assert AutoReply(prompts, tmp_path).is_on is None


async def test_a_door_that_is_not_told_to_never_replies_by_itself(door: Door) -> None:
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    assert door.replies._auto_timer is None


async def test_replies_are_ready_before_somebody_taps(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await door.replies.prepare()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await door.replies.say("coming", by="anna") == sentence("en", "reply.coming")
