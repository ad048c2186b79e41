"""The logbook: records the door station's calls and openings for the call log, the commands and the figures."""

from __future__ import annotations

import asyncio
import bisect
import itertools
import logging
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime

from intercom import atomic_file
from intercom.address import Address
from intercom.history.call_log import CallLog, CallRecord
from intercom.media.rtp.call_stats import CallStats
from intercom.opening.decision import Ruling
from intercom.plain_text import plain
from intercom.signalwire import WebRTCCall
from intercom.signalwire.call.quality import mos
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

FORGET_S = 24 * 3600.0
"""Interval at which old calls are forgotten; their age is configured in days."""
NAME_CHARS = 64
"""Limit of a far end's name in characters; the embedded space gives no longer one."""
PRESS_TO_RING_S = (0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds of the press-to-ring histogram around its target, 0.15 s; a press above 10 s was redialled after an outage."""
SCORES = (1.0, 2.0, 3.0, 3.5, 4.0, 4.5)
"""Bounds of the score histogram, at which the quality has another name."""
_BUSY = ("USER_BUSY", "CALL_REJECTED")
_UNANSWERED = ("NORMAL_CLEARING", "NO_ANSWER", "NO_USER_RESPONSE", "ORIGINATOR_CANCEL", "LOSE_RACE", "PICKED_OFF")


class Tally:
    """Counts values by size, as a Prometheus histogram does."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = tuple(bounds)
        self.total = 0.0
        "sum of all values"
        self._counts = [0] * (len(bounds) + 1)

    @property
    def count(self) -> int:
        """Number of values."""
        return sum(self._counts)

    def add(self, value: float) -> None:
        """Count one value."""
        self.total += value
        self._counts[bisect.bisect_left(self.bounds, value)] += 1

    def cumulative(self) -> list[int]:
        """Return how many values are at most each bound; at the end, all."""
        return list(itertools.accumulate(self._counts))


@dataclass(eq=False)
class CallEntry:
    """The call in progress."""

    call: WebRTCCall
    """The call."""
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

    @property
    def address(self) -> str:
        """The far end's address, safe to show."""
        return str(Address.parse(self.call.to if self.call.direction == "outbound" else self.call.from_))

    @property
    def name(self) -> str:
        """The far end's display name, safe to show."""
        return plain(self.call.to_name if self.call.direction == "outbound" else self.call.from_name, NAME_CHARS)


def heard(stats: CallStats | None) -> tuple[float, float] | None:
    """Return mean opinion score and lost percentage of the far end's sound; None before any arrived."""
    if stats is None or stats.far_end is None or stats.far_end.received == 0:
        return None
    far = stats.far_end
    lost = max(0, far.lost - far.recovered)
    percent = 100.0 * lost / (far.received + lost)
    return round(mos(stats.round_trip_ms or 0.0, far.jitter_ms, percent), 2), round(percent, 2)


def outcome(cause: str, *, answered: bool) -> str:
    """Return the outcome of a call: answered, unanswered, busy or failed."""
    if answered:
        return "answered"
    if cause in _BUSY:
        return "busy"
    return "unanswered" if cause in _UNANSWERED else "failed"


def _plain(call_id: str) -> str:
    """Return a call's id as a safe file name; the far end chooses the id."""
    return re.sub(r"[^A-Za-z0-9-]", "", call_id)[:40]


class Logbook:
    """Records the events that the call plan and the opener report, all on the event loop.

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
        self._entries: list[CallEntry] = []
        "the calls in progress, the newest last: one that was given up may still close as the next one begins"
        self.calls_by_outcome: Counter[tuple[str, str]] = Counter()
        "number of calls, by direction and outcome"
        self.doors_opened = 0
        self.doors_refused: Counter[Ruling] = Counter()
        "number of refusals, by ruling"
        self.press_to_ring = Tally(PRESS_TO_RING_S)
        "seconds from the press to the ringing"
        self.scores = Tally(SCORES)
        "mean opinion scores of the calls' sound"
        self._pressed: float | None = None
        self._writing = TaskSet(on_defect)
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="call log")
        "a thread of its own: a row waits for earlier rows and the disk, never for other blocking work"

    # -- what happens ----------------------------------------------------------------------------------

    def pressed(self) -> None:
        """Record a press that rings the house: from now on the seconds to the ringing count."""
        self._pressed = self._clock()

    def began(self, call: WebRTCCall) -> None:
        """Record a new call: the service has accepted ours, or somebody calls the door."""
        entry = CallEntry(call, self._now(), self._clock())
        self._entries.append(entry)
        if call.direction == "outbound" and self._pressed is not None:
            self.press_to_ring.add(self._clock() - self._pressed)
            if self._look is not None:
                self._writing.spawn(self._take_picture(entry, self._look))
        self._pressed = None

    def rang_again(self, before: WebRTCCall, call: WebRTCCall) -> None:
        """Continue a press's entry with its next call, as `before` is over: the same visitor, and one entry."""
        if (entry := self._entry_of(before)) is not None:
            entry.call = call

    def answered(self, call: WebRTCCall) -> None:
        """Record the time of the answer."""
        if (entry := self._entry_of(call)) is not None:
            entry.answered = self._clock()

    def ended(self, call: WebRTCCall, cause: str) -> None:
        """Write the finished call to the call log."""
        entry = self._entry_of(call)
        if entry is None:
            return
        self._entries.remove(entry)
        now, answered = self._clock(), entry.answered
        quality = heard(self._stats(call.id)) if answered is not None else None
        if quality is not None:
            self.scores.add(quality[0])
        self._write(
            CallRecord(
                id=call.id,
                began_at=entry.began_at.isoformat(timespec="seconds"),
                direction=call.direction,
                address=entry.address,
                name=entry.name,
                outcome=outcome(cause, answered=answered is not None),
                end_cause=cause,
                answered_after_s=None if answered is None else round(answered - entry.began, 1),
                talked_s=0.0 if answered is None else round(now - answered, 1),
                mos=quality[0] if quality else None,
                loss_percent=quality[1] if quality else None,
                door_opened_by=", ".join(entry.openers),
                snapshot=entry.snapshot,
            )
        )

    def unreached(self, address: str, cause: str) -> None:
        """Record a press that was given up before the service accepted a call for it."""
        self._write(
            CallRecord(
                id="",
                began_at=self._now().isoformat(timespec="seconds"),
                direction="outbound",
                address=str(Address.parse(address)),
                outcome=outcome(cause, answered=False),
                end_cause=cause,
            )
        )

    def door_opened(self, by: str) -> None:
        """Record that somebody opened the door."""
        self.doors_opened += 1
        if (entry := self.call) is not None:
            if by not in entry.openers:
                entry.openers.append(by)
            return
        self._write(
            CallRecord(
                id="",
                began_at=self._now().isoformat(timespec="seconds"),
                direction="none",
                address="",
                outcome="opened",
                door_opened_by=by,
            )
        )

    def door_refused(self, ruling: Ruling) -> None:
        """Count a refusal to open the door."""
        self.doors_refused[ruling] += 1

    async def forget_daily(self) -> None:
        """Forget the calls that have become too old, once a day without end."""
        while True:
            await asyncio.to_thread(self._log.forget, self._now())
            await asyncio.sleep(FORGET_S)

    def stopping(self) -> None:
        """Begin to write down the call that the stop ends, while there is time."""
        for entry in tuple(self._entries):
            self.ended(entry.call, entry.call.end_cause or "NORMAL_CLEARING")

    async def stop(self) -> None:
        """Wait for the rows that are being written; cancelling the wait cancels none of them."""
        self.stopping()
        await self._writing.finish()

    # -- what can be read ------------------------------------------------------------------------------

    async def calls(self, limit: int) -> list[CallRecord]:
        """Return the last calls, the newest first."""
        return await asyncio.to_thread(self._log.calls, limit)

    @property
    def call(self) -> CallEntry | None:
        """The call in progress, or None."""
        return self._entries[-1] if self._entries else None

    def _entry_of(self, call: WebRTCCall) -> CallEntry | None:
        return next((entry for entry in self._entries if entry.call is call), None)

    def elapsed_s(self, since: float) -> float:
        """Return the seconds since a moment of the monotonic clock."""
        return round(self._clock() - since, 1)

    def _write(self, record: CallRecord) -> None:
        if record.direction != "none":
            self.calls_by_outcome[record.direction, record.outcome] += 1
        self._writing.spawn(self._written_down(self._writer.submit(self._log.add, record, self._now())))

    @staticmethod
    async def _written_down(row: Future[None]) -> None:
        await asyncio.shield(asyncio.wrap_future(row))

    async def _take_picture(self, entry: CallEntry, look: Callable[[], Awaitable[bytes]]) -> None:
        """Take and keep the picture of the visitor or caller; a call that ends before that has none."""
        file = self._log.pictures / f"{entry.began_at:%Y%m%dT%H%M%S}-{_plain(entry.call.id)}.jpg"
        try:
            picture = await look()
            await asyncio.to_thread(atomic_file.replace, file, picture)
            if entry in self._entries:
                entry.snapshot = str(file)
            else:
                file.unlink()
        except OSError as error:
            logger.info("No picture of who rang: %s", error)
