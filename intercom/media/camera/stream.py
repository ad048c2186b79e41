"""A consumer's subscription to a camera: a bounded queue of access units from the camera's thread to an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from intercom.media.codec.h264 import AccessUnit

log = logging.getLogger(__name__)

QUEUE_LIMIT = 24
"""Limit of waiting access units, about a second: a longer queue means that nobody reads, and old pictures are
useless."""
BEGINNING_S = 0.5
"""Age up to which a keyframe serves whoever begins to watch: so long a camera makes no other (KEYFRAME_INTERVAL_S)."""


class Beginning:
    """The pictures since the last keyframe while that is young, so that one keyframe serves all who come at once."""

    def __init__(self) -> None:
        self._units: list[AccessUnit] = []
        self._began_s = 0.0

    def put(self, unit: AccessUnit, now_s: float) -> None:
        """Take the camera's next unit."""
        if unit.keyframe:
            self._units, self._began_s = [unit], now_s
        elif self._units:
            self._units.append(unit)
        self._forget_old(now_s)

    def units(self, now_s: float) -> Sequence[AccessUnit]:
        """Return the units with which a consumer may begin now; none where only a new keyframe helps."""
        self._forget_old(now_s)
        return self._units

    def clear(self) -> None:
        """Forget them: the camera stops, or may not be seen."""
        self._units = []

    def _forget_old(self, now_s: float) -> None:
        if now_s - self._began_s > BEGINNING_S or len(self._units) > QUEUE_LIMIT:
            self._units = []


class FrameSubscription:
    """The access units of a camera for one consumer; the camera runs while at least one of these is open.

    Begins with a keyframe, at once where a young one is there. Whoever reads too slowly loses pictures up to the next
    keyframe, never the order. Iterate over it, or await `next()`, in the event loop where it was made; what the reader
    waits for may be taken on the camera's own thread instead (`take_by`). Close it, or use it in `with`.
    """

    def __init__(
        self, *, begin: Callable[[FrameSubscription], None], on_close: Callable[[FrameSubscription], None]
    ) -> None:
        """`begin` is called when the reader waits for a keyframe: it asks for one, or calls `begin_with`."""
        self._begin = begin
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._units: deque[AccessUnit] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self._take: Callable[[AccessUnit], bool] | None = None
        self._newest: AccessUnit | None = None
        "the last one that was read or taken"
        self._wants_keyframe = True
        self._closed = False
        self.dropped = 0

    def put(self, unit: AccessUnit) -> None:
        """Queue a unit (the camera's thread calls this)."""
        if self._loop.is_closed():  # the consumer's event loop has ended without closing: nobody reads any more
            self.close()
            return
        with self._lock:
            if self._closed:
                return
            if self._wants_keyframe and not unit.keyframe:
                self.dropped += 1
                return
            if len(self._units) >= QUEUE_LIMIT:
                self.dropped += len(self._units)
                self._units.clear()
                self._wants_keyframe = True
                if not unit.keyframe:
                    self.dropped += 1
                    return
            self._wants_keyframe = False
            take = self._take if self._reader_waits() else None
        if take is not None and self._is_taken(take, unit):
            self._newest = unit
            return
        with self._lock:
            if self._closed:
                return
            self._units.append(unit)
            first = len(self._units) == 1
        if first:
            with contextlib.suppress(RuntimeError):  # it closes now, which the next unit finds
                self._loop.call_soon_threadsafe(self._wake)

    def take_by(self, take: Callable[[AccessUnit], bool]) -> None:
        """Offer each unit that the reader waits for to `take`, on the camera's thread: that spares waking the reader.

        What it does not take, by False, is queued. The reader waits on meanwhile, so that the order is kept.
        """
        self._take = take

    def _is_taken(self, take: Callable[[AccessUnit], bool], unit: AccessUnit) -> bool:
        try:
            return take(unit)
        except Exception:  # a defect of one consumer, which its reader meets next, does not end the camera for all
            log.exception("A picture is not taken on the camera's thread; from now on its reader gets each")
            self._take = None
            return False

    def _reader_waits(self) -> bool:
        return not self._units and self._waiter is not None and not self._waiter.done()

    def begin_with(self, units: Sequence[AccessUnit]) -> None:
        """Queue the units since a keyframe, except those that were read, for a reader that waits for one.

        The camera adds none meanwhile: whoever calls this holds its lock.
        """
        with self._lock:
            if self._closed or not self._wants_keyframe:
                return
            read = next((index + 1 for index, unit in enumerate(units) if unit is self._newest), 0)
            self._units.extend(units[read:])
            self._wants_keyframe = False

    def start_over(self) -> None:
        """Discard the unread units and begin again with a keyframe, because the source changed."""
        with self._lock:
            self.dropped += len(self._units)
            self._units.clear()
            self._wants_keyframe = True

    async def next(self) -> AccessUnit:
        """Return the next access unit, waiting until there is one; EOFError once closed."""
        while not self._closed:
            with self._lock:
                if self._units:
                    self._newest = self._units.popleft()
                    return self._newest
                missing = self._wants_keyframe
            if missing:
                self._begin(self)
            if not self._units:
                # No asyncio.Event: each wait for one asks for the running loop, by a system call until Python 3.12.
                self._waiter = self._loop.create_future()
                await self._waiter
        raise EOFError("This subscription was closed.")

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def close(self) -> None:
        """End the subscription (idempotent); the camera stops with its last one."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._units.clear()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)
        self._on_close(self)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> AccessUnit:
        try:
            return await self.next()
        except EOFError:
            raise StopAsyncIteration from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
