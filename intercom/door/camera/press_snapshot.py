"""Take a picture of the visitor at every press; keep only the newest, and only in memory."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import msgspec

logger = logging.getLogger(__name__)

FRESH_S = 10.0
"""Age up to which a picture shows the visitor who rings now."""

Look = Callable[[], Awaitable[bytes]]


async def _no_bell() -> None:
    """There is no bell to wait for."""


class Picture(msgspec.Struct, frozen=True):
    """The picture of a visitor."""

    jpeg: bytes
    """Encoded picture."""
    at: datetime
    """Time of the picture."""
    taken: float
    """Time of the picture on the monotonic clock, seconds."""
    after_s: float
    """Delay after the press."""


class PressPictures:
    """Takes the pictures with `look`, which raises OSError, after `bell`. Belongs to the event loop."""

    def __init__(
        self,
        look: Look,
        *,
        bell: Callable[[], Awaitable[None]] = _no_bell,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._look = look
        self._bell = bell
        self._clock = clock
        self._now = now
        self._taking: asyncio.Task[None] | None = None
        self.newest: Picture | None = None
        """Picture of the last press that has one."""

    def press(self) -> None:
        """Take a picture of the visitor, once the bell has rung: a camera's start would hold it up.

        Presses in quick succession share one.
        """
        if self._taking is None:
            self._taking = asyncio.get_running_loop().create_task(self._take(self._clock()))

    async def last(self) -> Picture | None:
        """Wait for a picture that is being taken, then return the newest."""
        if self._taking is not None:
            await asyncio.wait([self._taking])
        return self.newest

    async def of_now(self) -> bytes:
        """Return the press's picture, or a new one if that is too old. Raises OSError when there is none."""
        picture = await self.last()
        if picture is not None and self._clock() - picture.taken < FRESH_S:
            return picture.jpeg
        return await self._look()

    async def stop(self) -> None:
        """Cancel the picture that is being taken."""
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.wait([self._taking])

    async def _take(self, pressed: float) -> None:
        try:
            await self._bell()
            jpeg = await self._look()
            taken = self._clock()
            self.newest = Picture(jpeg, self._now(), taken, taken - pressed)
        except OSError as error:
            logger.info("No picture of who pressed: %s", error)
        finally:
            self._taking = None
