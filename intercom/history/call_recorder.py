"""The call recorder: keeps the call in progress, and writes each call and opening that is over to the call log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from intercom import atomic_file
from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    CutOff,
    DoorOpened,
    Ended,
    Pressed,
    PressedAgain,
    RangAgain,
    Unreached,
    outcome,
)
from intercom.history.call_log import CallLog, CallRecord
from intercom.history.journal import Entry
from intercom.history.sound_quality import heard
from intercom.media.rtp.call_stats import CallStats
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

FORGET_S = 24 * 3600.0
"""Interval at which old calls are forgotten; their age is configured in days."""


@dataclass(eq=False)
class OngoingCall:
    """The call in progress."""

    call: CallIdentity
    """The call: the last one, of a press that rang again."""
    began_at: datetime
    """Time when the call began to ring."""
    began: float
    """Beginning on the monotonic clock, seconds."""
    answered: float | None = None
    """Time of the answer on the monotonic clock."""
    openers: list[str] = field(default_factory=list)
    """Names of those who opened the door during the call."""
    snapshot: str = ""
    """Path of the picture of the visitor or caller."""
    presses: int = 0
    """How often the visitor has pressed."""


def _plain(call_id: str) -> str:
    """Return a call's id as a safe file name; the far end chooses the id."""
    return re.sub(r"[^A-Za-z0-9-]", "", call_id)[:40]


class CallRecorder:
    """Writes the call log from the journal's facts, on the event loop.

    `stats` finds a call's media by its id. `look` takes a picture (JPEG) of who rings; None keeps no pictures.
    `on_defect` is called when a call could not be written down.
    """

    def __init__(
        self,
        log: CallLog,
        *,
        stats: Callable[[str], CallStats | None],
        look: Callable[[], Awaitable[bytes]] | None = None,
        on_defect: Callable[[BaseException], None] = lambda error: None,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._log = log
        self._stats = stats
        self._look = look
        self._clock = clock
        self._now = now
        self._ongoing: list[OngoingCall] = []
        "the calls in progress, the newest last: one that was given up may still close as the next one begins"
        self._presses = 0
        "presses for which no call has begun yet"
        self._writing = TaskSet(on_defect)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="call log")
        "a thread of its own: a row waits for earlier rows and the disk, never for other blocking work"

    def take(self, entry: Entry) -> None:
        """Record a fact of the journal."""
        match entry.fact:
            case Pressed(_, presses):
                self._presses = presses
            case PressedAgain():
                self._pressed_again()
            case CutOff() as press:
                self._cut_off(press)
            case CallBegan(call):
                self._began(OngoingCall(call, entry.at, entry.moment))
            case RangAgain(before, call):
                if (ongoing := self._ongoing_of(before)) is not None:
                    ongoing.call = call
            case Answered(call):
                if (ongoing := self._ongoing_of(call.id)) is not None:
                    ongoing.call, ongoing.answered = call, entry.moment
            case Ended(call, cause):
                if (ongoing := self._ongoing_of(call.id)) is not None:
                    self._ended(ongoing, cause, entry.moment)
            case Unreached() as press:
                self._unreached(press, entry.at)
            case DoorOpened(by):
                self._door_opened(by, entry.at)

    def _pressed_again(self) -> None:
        if self._presses or self.call is None:
            self._presses += 1
        else:
            self.call.presses += 1

    def _began(self, ongoing: OngoingCall) -> None:
        self._ongoing.append(ongoing)
        if ongoing.call.direction == "outbound":
            ongoing.presses, self._presses = self._presses, 0
        if ongoing.call.direction == "outbound" and self._look is not None:
            self._writing.spawn(self._take_picture(ongoing, self._look))

    def _ended(self, ongoing: OngoingCall, cause: str, moment: float) -> None:
        self._ongoing.remove(ongoing)
        call, answered = ongoing.call, ongoing.answered
        quality = heard(self._stats(call.id)) if answered is not None else None
        self._write(
            CallRecord(
                id=call.id,
                began_at=_text(ongoing.began_at),
                direction=call.direction,
                address=call.address,
                name=call.name,
                outcome=outcome(cause, answered=answered is not None),
                end_cause=cause,
                answered_after_s=None if answered is None else round(answered - ongoing.began, 1),
                talked_s=0.0 if answered is None else round(moment - answered, 1),
                mos=quality[0] if quality else None,
                loss_percent=quality[1] if quality else None,
                door_opened_by=", ".join(ongoing.openers),
                snapshot=ongoing.snapshot,
                presses=ongoing.presses,
            )
        )

    def _cut_off(self, press: CutOff) -> None:
        cause = "NORMAL_TEMPORARY_FAILURE"
        self._write(
            CallRecord(
                id="",
                began_at=press.began_at,
                direction="outbound",
                address=press.address,
                outcome=outcome(cause, answered=press.answered),
                end_cause=cause,
                presses=press.presses,
            )
        )

    def _unreached(self, press: Unreached, at: datetime) -> None:
        self._presses = 0
        self._write(
            CallRecord(
                id="",
                began_at=_text(at),
                direction="outbound",
                address=press.address,
                outcome=press.outcome,
                end_cause=press.cause,
                presses=press.presses,
            )
        )

    def _door_opened(self, by: str, at: datetime) -> None:
        if (ongoing := self.call) is None:
            opening = CallRecord(
                id="", began_at=_text(at), direction="none", address="", outcome="opened", door_opened_by=by
            )
            self._write(opening)
        elif by not in ongoing.openers:
            ongoing.openers.append(by)

    async def forget_daily(self) -> None:
        """Forget the calls that have become too old, once a day without end."""
        while True:
            await asyncio.to_thread(self._log.forget, self._now())
            await asyncio.sleep(FORGET_S)

    def stopping(self, cause: str = "NORMAL_CLEARING") -> None:
        """Begin to write down the call that the stop ends with this cause, while there is time."""
        for ongoing in tuple(self._ongoing):
            self._ended(ongoing, cause, self._clock())

    async def stop(self) -> None:
        """Wait for the rows that are being written; cancelling the wait cancels none of them."""
        self.stopping()
        await self._writing.finish()

    # -- what can be read ------------------------------------------------------------------------------

    async def calls(self, limit: int) -> list[CallRecord]:
        """Return the last calls, the newest first, and among them each that was over when this was asked."""
        return await asyncio.wrap_future(self._writer.submit(self._log.calls, limit))

    @property
    def call(self) -> OngoingCall | None:
        """The call in progress, or None."""
        return self._ongoing[-1] if self._ongoing else None

    def elapsed_s(self, since: float) -> float:
        """Return the seconds since a moment of the monotonic clock."""
        return round(self._clock() - since, 1)

    def _ongoing_of(self, call_id: str) -> OngoingCall | None:
        return next((ongoing for ongoing in self._ongoing if ongoing.call.id == call_id), None)

    def _write(self, record: CallRecord) -> None:
        self._writing.spawn(self._written_down(self._writer.submit(self._log.add, record, self._now())))

    @staticmethod
    async def _written_down(row: Future[None]) -> None:
        await asyncio.shield(asyncio.wrap_future(row))

    async def _take_picture(self, ongoing: OngoingCall, look: Callable[[], Awaitable[bytes]]) -> None:
        """Take and keep the picture of the visitor or caller; a call that ends before that has none."""
        file = self._log.pictures / f"{ongoing.began_at:%Y%m%dT%H%M%S}-{_plain(ongoing.call.id)}.jpg"
        try:
            picture = await look()
            await asyncio.to_thread(atomic_file.replace, file, picture)
            if ongoing in self._ongoing:
                ongoing.snapshot = str(file)
            else:
                file.unlink()
        except OSError as error:
            logger.info("No picture of who rang: %s", error)


def _text(when: datetime) -> str:
    return when.isoformat(timespec="seconds")
