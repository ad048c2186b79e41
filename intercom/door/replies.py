"""Quick replies: sentences that the house has the door speak to the visitor, without a conversation.

The space says which page asks (`space/switch/says.py`); whether the door speaks, it decides itself: one sentence at a
time, and for a page only while the door rings it, or talks with it. A command of the door may speak at any time.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from intercom.address import LONGEST, Address
from intercom.config import Config
from intercom.config.prompts import SENTENCE
from intercom.door.auto_reply import AutoReply
from intercom.door.calls.active_call import NAME_CHARS
from intercom.door.calls.lock_talk import for_people
from intercom.door.voice import Voice
from intercom.facts import Answered, CallBegan, DoorOpened, Ended, Fact, Pressed, RangAgain, Replied, Unreached
from intercom.history.journal import Entry
from intercom.media.errors import SpeechError
from intercom.media.prompts.prompts import Prompts
from intercom.media.prompts.sentences import REPLIES, sentence
from intercom.media.sound.format import Samples
from intercom.plain_text import plain
from intercom.signalwire import SignalWire, SignalWireError
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

ASKED, ANSWER, SAID = "intercom.say", "intercom.say.answer", "intercom.said"


class Reply(msgspec.Struct, frozen=True):
    """A sentence in a language."""

    name: str
    "what commands call it; empty for one that somebody typed"
    text: str
    language: str


class ReplyRefusedError(Exception):
    """The door does not speak; `reason` is a word for programs, the message a sentence."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Sender(msgspec.Struct):
    """Who asks, as the space vouches."""

    number: str = ""
    name: str = ""


class Asked(msgspec.Struct):
    """A page of the house asks the door to speak."""

    say: str
    by: Sender
    call_id: str = msgspec.field(name="callID")
    """The door's call that rings the page, or in which it talks."""
    words: str = ""
    """A sentence, or a reply's name; empty: the page asks which replies there are."""


class Replies:
    """The door's replies, on the event loop. Subscribe `hear` to the journal, `take` to the service."""

    def __init__(
        self,
        config: Config,
        *,
        auto: AutoReply,
        prompts: Prompts,
        voice: Voice,
        client: SignalWire,
        tell: Callable[[Fact], object],
        on_defect: Callable[[BaseException], object],
    ) -> None:
        self._in_space = config.account.credential == "space"
        self._auto, self._auto_s = config.prompts.auto_reply, config.prompts.auto_reply_s
        self.auto = auto
        """Switch of the reply that the door speaks by itself."""
        self._prompts = prompts
        self._voice = voice
        self._client = client
        self._tell = tell
        self._tasks = TaskSet(on_defect)
        self.prepared = _prepared(config)
        """Replies that are ready."""
        self._call = ""
        "id of the door's call that rings the house or in which it talks"
        self._speaking = False
        self._auto_timer: asyncio.TimerHandle | None = None

    async def prepare(self) -> None:
        """Get all prompts and replies ready."""
        if self._prompts.speaks:
            auto = [self._reply_of(self._auto)] if self._auto_s else []
            await self._prompts.prepare((reply.language, reply.text) for reply in [*self.prepared, *auto])

    # -- what the journal tells ------------------------------------------------------------------------

    def hear(self, entry: Entry) -> None:
        """Take a fact of the door."""
        match entry.fact:
            case Pressed():
                self._begin_waiting()
            case CallBegan(call) | RangAgain(call=call):
                self._call = call.id
            case Ended() | Unreached():
                self._call = ""
                self._wait_no_more()
            case Answered() | DoorOpened() | Replied():
                self._wait_no_more()
            case _:
                pass

    def _begin_waiting(self) -> None:
        self._wait_no_more()
        if self._auto_s and self._prompts.speaks:
            self._auto_timer = asyncio.get_running_loop().call_later(self._auto_s, self._reply_by_itself)

    def _wait_no_more(self) -> None:
        if self._auto_timer is not None:
            self._auto_timer.cancel()
            self._auto_timer = None

    def _reply_by_itself(self) -> None:
        if self.auto.is_on:
            self._tasks.spawn(self._auto_reply(self._auto_timer))

    async def _auto_reply(self, timer: asyncio.TimerHandle | None) -> None:
        try:
            await self.say(self._auto, by="", wanted=lambda: self._auto_timer is timer)
        except ReplyRefusedError as refusal:
            logger.info("The door does not reply by itself: %s", refusal)

    # -- speaking --------------------------------------------------------------------------------------

    async def say(self, words: str, *, by: str, wanted: Callable[[], bool] = lambda: True) -> str:
        """Begin to speak a sentence, or the reply of this name, and return it. Raises ReplyRefusedError.

        :param wanted: whether it is still to be spoken once the voice is ready, which takes a small board a second.
        """
        if not self._prompts.speaks:
            raise ReplyRefusedError("silent", "the door does not speak: name its languages in prompts.languages")
        reply = self._reply_of(words)
        if not SENTENCE.accepts(reply.text):
            raise ReplyRefusedError("words", f"expected {SENTENCE.expected}, or the name of a reply")
        if self._speaking:
            raise ReplyRefusedError("busy", "the door speaks already: wait until it has finished")
        self._speaking = True
        try:
            sound = await self._prompts.sentence(reply.language, reply.text)
        except SpeechError as error:
            self._speaking = False
            raise ReplyRefusedError("silent", f"the door cannot speak this: {error}") from error
        except BaseException:
            self._speaking = False
            raise
        if not wanted():
            self._speaking = False
            raise ReplyRefusedError("not-ringing", "the ringing or the call was over before the voice was ready")
        self._tasks.spawn(self._speak(sound))
        logger.info("%s has the door speak a reply", by or "The door itself")
        self._tell(Replied(reply.text, by))
        if self._in_space and self._call:
            told = {"callID": self._call, "text": reply.text, "by": for_people(by)}
            self._tasks.spawn(self._send(SAID, told))
        return reply.text

    async def _speak(self, sound: Samples) -> None:
        try:
            await self._voice.say(sound)
        finally:
            self._speaking = False

    def _reply_of(self, words: str) -> Reply:
        text = plain(" ".join(words.split()))
        language = self._prompts.languages[0] if self._prompts.languages else ""
        for reply in self.prepared:
            if reply.name == text:
                return reply
        return Reply("", sentence(language, f"reply.{text}") if language and text in REPLIES else text, language)

    # -- what the space tells --------------------------------------------------------------------------

    def take(self, event_type: str, params: Mapping[str, Any]) -> None:
        """Take an event of the service; only a page's wish counts, and only a space's."""
        if not self._in_space or event_type != ASKED:
            return
        try:
            asked = msgspec.convert(params, Asked)
        except msgspec.ValidationError as error:
            logger.info("Ignored a request to speak that cannot be read: %s", error)
            return
        self._tasks.spawn(self._answer(asked))

    async def _answer(self, asked: Asked) -> None:
        by = plain(asked.by.name, NAME_CHARS) or str(Address.parse(asked.by.number[:LONGEST]))
        try:
            answer = await self._answer_to(asked, by)
        except ReplyRefusedError as refusal:
            logger.info("The door does not speak for %s: %s", by, refusal)
            answer = {"refused": refusal.reason}
        await self._send(ANSWER, {"say": asked.say, **answer})

    async def _answer_to(self, asked: Asked, by: str) -> dict[str, Any]:
        if not asked.words:
            replies = self.prepared if self._prompts.speaks else ()
            return {"replies": [{"name": reply.name, "text": reply.text} for reply in replies]}
        if asked.call_id != self._call:
            raise ReplyRefusedError("not-ringing", "it neither rings them nor talks with them")
        return {"said": await self.say(asked.words, by=by, wanted=lambda: asked.call_id == self._call)}

    async def _send(self, method: str, params: Mapping[str, Any]) -> None:
        """Tell the space what has no consequence when it is lost: a page asks again."""
        try:
            await self._client.session.execute(method, params)
        except SignalWireError as error:
            logger.debug("Not delivered: %s", error)

    async def stop(self) -> None:
        """Say nothing more."""
        self._wait_no_more()
        await self._tasks.stop()


def _prepared(config: Config) -> tuple[Reply, ...]:
    """Return the replies of the configuration, or those that a house without its own has."""
    language = config.prompts.languages[0] if config.prompts.languages else ""
    if config.reply:
        return tuple(Reply(entry.name, entry.text, entry.language or language) for entry in config.reply)
    return tuple(Reply(name, sentence(language, f"reply.{name}"), language) for name in REPLIES) if language else ()
