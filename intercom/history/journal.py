"""The journal: the one stream of facts about the door, which every record, figure and display subscribes to.

A part tells a fact once; it does not know who listens. The facts are listed in `intercom/facts.py`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec

from intercom.facts import Fact

logger = logging.getLogger(__name__)

FACTS_KEPT = 1000
"""Limit of facts kept for a listener that was away: some days of a quiet door, and a quarter of a megabyte."""


class Entry(msgspec.Struct, frozen=True):
    """A fact with its number and time."""

    number: int
    """Number of the fact since the start, from 1: the cursor of a listener that has read as far as here."""
    at: datetime
    """Time of the fact, UTC."""
    moment: float
    """Time of the fact on the monotonic clock, seconds."""
    fact: Fact
    """The fact."""


Listener = Callable[[Entry], object]


class Journal:
    """Passes each fact to the listeners in the order in which it was told, and keeps the last. On the event loop."""

    def __init__(
        self,
        on_defect: Callable[[Exception], object],
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`on_defect` gets the first error of each listener that raises."""
        self._on_defect = on_defect
        self._clock = clock
        self._now = now
        self._listeners: dict[object, Listener] = {}
        self._defective: set[object] = set()
        "keys of the listeners that have raised"
        self._kept: deque[Entry] = deque(maxlen=FACTS_KEPT)
        self._undelivered: deque[Entry] = deque()
        self._delivering = False
        self.cursor = 0
        "number of the last fact; 0 before the first"

    def tell(self, fact: Fact) -> None:
        """Pass a fact to every listener. One that a listener tells follows when all have heard the fact before it."""
        self.cursor += 1
        entry = Entry(self.cursor, self._now(), self._clock(), fact)
        self._kept.append(entry)
        self._undelivered.append(entry)
        if not self._delivering:
            self._deliver()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each fact from now on; return the function that ends this."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)
            self._defective.discard(key)

        return unsubscribe

    def since(self, cursor: int) -> list[Entry]:
        """Return the kept facts after this cursor, the oldest first; a gap in the numbers means that some are gone."""
        return [entry for entry in self._kept if entry.number > cursor]

    def _deliver(self) -> None:
        self._delivering = True
        try:
            while self._undelivered:
                entry = self._undelivered.popleft()
                for key, listener in tuple(self._listeners.items()):
                    if key in self._listeners:
                        self._pass(entry, key, listener)
        finally:
            self._delivering = False

    def _pass(self, entry: Entry, key: object, listener: Listener) -> None:
        try:
            listener(entry)
        except Exception as error:  # noqa: BLE001 - whatever one listener raises, the others hear the fact
            if key in self._defective:
                logger.debug("A listener to the journal failed again: %r", error)
                return
            # Once: the report is itself a fact, which the same listener would fail at.
            self._defective.add(key)
            error.add_note(f"A listener to the journal failed at fact {entry.number}, {type(entry.fact).__name__}")
            self._on_defect(error)
