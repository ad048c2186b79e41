"""Take a message from a visitor whom nobody answers: ask for it, record it, keep it.

It follows the journal's facts, so that no call waits for it. A press of the button ends a message, and so does whatever
else begins at the door: a call, an opening.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from intercom.door.machine import Fault
from intercom.door.messages.delivery import Delivery
from intercom.facts import (
    OPENED,
    CallBegan,
    DoorOpened,
    Ended,
    Fact,
    FaultBegan,
    MessageLeft,
    Pressed,
    PressWaits,
    Replied,
    Unreached,
)
from intercom.history.journal import Entry
from intercom.media.recording.mp4 import whole
from intercom.message_files import KeptMessage, MessageFiles
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from intercom.media.recording.recorder import Recorded, Write  # it loads the codec: with the first message

logger = logging.getLogger(__name__)

LONGEST_S = 30.0
"""Limit of a message."""
STOP_S = 0.5
"""Time limit for writing the end of a message down when the door stops."""
FORGET_S = 24 * 3600.0
"""Interval at which old messages are forgotten; their age is configured in days."""
_NOBODY_WAITS = ("ORIGINATOR_CANCEL", OPENED)
"""Causes of an end after which no visitor waits: they gave up, or were let in."""


class MessageFeedback(Protocol):
    """Shows the visitor that they may speak; `Feedback` does."""

    def message(self, on: bool) -> None:
        """A message is asked for or taken, or no longer is."""

    async def ask_for_message(self) -> bool:
        """Ask for a message by sound; return whether it was heard to its end."""

    def failed(self, cause: str) -> None:
        """The door could not reach the house."""


class Taking(Protocol):
    """A recording."""

    async def run(self, write: Write) -> Recorded:
        """Record to the end; raises OSError."""

    async def close(self) -> None:
        """Release the camera."""

    def end(self) -> None:
        """End it now."""


class Messages:
    """Takes the messages. Belongs to the event loop.

    :param wanted: whether the owner wants messages; those that are kept already stay until they are old.
    :param record: makes a recording, which begins when it is run.
    :param why_not: the reason why a visitor could not be asked, or heard, now; empty when they can.
    :param tell: takes each message that is kept, as a fact for the journal.
    """

    def __init__(
        self,
        files: MessageFiles,
        delivery: Delivery,
        *,
        wanted: bool,
        record: Callable[[], Taking],
        why_not: Callable[[], str],
        feedback: MessageFeedback,
        tell: Callable[[Fact], object],
        on_defect: Callable[[Exception], object],
    ) -> None:
        self.files = files
        """The messages that are kept here."""
        self.delivery = delivery
        """Their way to the space."""
        self.wanted = wanted
        """Whether visitors are asked for messages."""
        self._record = record
        self._why_not = why_not
        self._feedback = feedback
        self._tell = tell
        self._tasks = TaskSet(on_defect)
        self._asking: asyncio.Task[None] | None = None
        self._recording: Taking | None = None
        "the recording that runs"
        self._press = ""
        "id of the press that the journal told of last"
        self._waits = False
        "a visitor waits for its answer, and has had none"
        self._stopped = False

    @property
    def takes(self) -> bool:
        """Whether a visitor is asked for a message, or leaves one."""
        return self._asking is not None

    @property
    def records(self) -> bool:
        """Whether a visitor leaves a message, which the next press ends."""
        return self._recording is not None

    @property
    def document(self) -> dict[str, Any]:
        """Return how many messages are here, for the status."""
        kept = self.files.count
        return {"kept": kept, "unsent": kept if self.delivery.sends else 0}

    def pressed(self) -> bool:
        """Take a press of the button; return whether it ended the visitor's message, and does nothing else."""
        if self._recording is not None:
            self._recording.end()
            return True
        return False

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        self.delivery.take(entry)
        match entry.fact:
            case Pressed(ring=press, visitor=visitor) | PressWaits(ring=press, visitor=visitor):
                self._rings(press, visitor=visitor)
            case Replied(by=by) if by:
                self._waits = False  # the house has answered, if without a conversation
            case Unreached(cause=cause):
                self._nobody_answered(cause)
            case Ended(call, cause, answered) if call.direction == "outbound":
                self._nobody_answered("" if answered else cause)
            case CallBegan() | DoorOpened():
                self._give_way()
            case FaultBegan(kind) if kind == Fault.MICROPHONE:
                self._give_way()
            case _:
                pass

    async def run(self) -> None:
        """Send what there is to the space, and tend what is kept here, for ever."""
        async with asyncio.TaskGroup() as work:
            work.create_task(self.delivery.run(), name="delivery of messages")
            work.create_task(self._tend(), name="tending messages")

    async def _tend(self) -> None:
        """Keep what a power cut left of a message, and forget old ones every day."""
        for message in await asyncio.to_thread(lambda: self.files.all(whole=False)):
            if self._asking is None:
                await self._settle(message)
        while True:
            await asyncio.to_thread(self.files.forget)
            await asyncio.sleep(FORGET_S)

    async def stop(self) -> None:
        """End the message that is taken, and ask for no other; what was said is kept."""
        self._stopped = True
        self._give_way()
        await self._tasks.finish(STOP_S)
        await self._tasks.stop()

    def _rings(self, press: str, *, visitor: bool) -> None:
        if press != self._press:  # else it waited, and rings now
            self._press, self._waits = press, visitor
        self._give_way()

    def _give_way(self) -> None:
        if self._recording is not None:
            self._recording.end()
        elif self._asking is not None:
            self._asking.cancel()

    def _nobody_answered(self, cause: str) -> None:
        waited, self._waits = self._waits, False
        if self._stopped or not self.wanted or not waited or not cause or cause in _NOBODY_WAITS:
            return
        if why := self._why_not():
            logger.info("The visitor is not asked for a message: %s", why)
            return
        self._feedback.message(True)
        self._asking = self._tasks.spawn(self._take(self._press, cause), name="message of a visitor")
        self._asking.add_done_callback(self._asked)

    def _asked(self, asking: asyncio.Task[None]) -> None:
        """End a message that gave way before its task had begun, and so had nothing to tidy up."""
        if self._asking is asking:
            self._asking = None
            self._feedback.message(False)

    async def _take(self, press: str, cause: str) -> None:
        recording = self._record()
        kept: KeptMessage | None = None
        beginning = asyncio.ensure_future(asyncio.to_thread(self.files.begin, press))
        try:
            kept = await asyncio.shield(beginning)
            if await self._feedback.ask_for_message() and not self._why_not():
                self._recording = recording
                await self._run(recording, kept)
        except OSError as error:
            logger.warning("No message of the visitor can be kept: %s", error)
            self._feedback.message(False)
            self._feedback.failed(cause)
        finally:
            self._asking = self._recording = None
            self._feedback.message(False)
            await recording.close()
            with contextlib.suppress(OSError):
                await self._settle(kept or await beginning)  # it gave way before its file was there

    async def _run(self, recording: Taking, kept: KeptMessage) -> None:
        recorded = await recording.run(lambda data: self.files.append(kept, data))
        if not recorded.heard:
            logger.info("The visitor said nothing: no message is kept")
            await asyncio.to_thread(self.files.remove, kept)

    async def _settle(self, message: KeptMessage) -> None:
        """Make whole what was recorded, however it ended, and tell of it; delete a file that holds no sound."""
        whole = await asyncio.to_thread(self._settled, message)
        if whole is not None:
            logger.info("A visitor left a message of %d s", whole.seconds)
            self._tell(MessageLeft(whole.id, whole.seconds))

    def _settled(self, message: KeptMessage) -> KeptMessage | None:
        try:
            with message.path.open("rb") as file:
                found = whole(file)
            if found.seconds:
                return self.files.finish(self.files.shorten(message, found.bytes), seconds=math.ceil(found.seconds))
            self.files.remove(message)
        except FileNotFoundError:
            pass  # nothing was said, or somebody deleted it
        except OSError as error:
            logger.warning("A visitor's message cannot be kept: %s", error)
        return None
