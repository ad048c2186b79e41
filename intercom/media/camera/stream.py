"""A consumer's subscription to a camera: a bounded queue of access units from the camera's thread to an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from intercom.media.codec.h264 import AccessUnit

QUEUE_LIMIT = 12
"""Limit of waiting access units, about half a second: a longer queue means that nobody reads, and old pictures are
useless."""


class FrameSubscription:
    """The access units of a camera for one consumer; the camera runs while at least one of these is open.

    Begins with a keyframe. Whoever reads too slowly loses pictures up to the next keyframe, never the order.
    Iterate over it, or await `next()`, in the event loop where it was made. Close it, or use it in `with`.
    """

    def __init__(self, *, request_keyframe: Callable[[], None], on_close: Callable[[FrameSubscription], None]) -> None:
        self._request_keyframe = request_keyframe
        self._on_close = on_close
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._units: deque[AccessUnit] = deque()
        self._arrived = asyncio.Event()
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
            self._units.append(unit)
            first = len(self._units) == 1
        if first:
            with contextlib.suppress(RuntimeError):  # it closes now, which the next unit finds
                self._loop.call_soon_threadsafe(self._arrived.set)

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
                    return self._units.popleft()
                self._arrived.clear()
                missing = self._wants_keyframe
            if missing:
                self._request_keyframe()
            await self._arrived.wait()
        raise EOFError("This subscription was closed.")

    def close(self) -> None:
        """End the subscription (idempotent); the camera stops with its last one."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._units.clear()
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._arrived.set)
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
