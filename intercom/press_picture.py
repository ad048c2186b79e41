"""The picture of who pressed: taken at every press, the newest one kept in memory and nowhere else."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

logger = logging.getLogger(__name__)

FRESH_S = 10.0
"""A picture so old still shows who rings now."""

Look = Callable[[], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Picture:
    """Who pressed."""

    jpeg: bytes
    """The picture."""
    at: datetime
    """When it was taken."""
    taken: float
    """The same on the monotonic clock, seconds."""
    after_s: float
    """Since the press."""


class PressPictures:
    """Takes them, with `look`, which raises OSError. Belongs to the event loop."""

    def __init__(
        self,
        look: Look,
        *,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._look = look
        self._clock = clock
        self._now = now
        self._taking: asyncio.Task[None] | None = None
        self.newest: Picture | None = None
        """Of the last press of which there is one."""

    def press(self) -> None:
        """The visitor pressed; presses in quick succession share a picture."""
        if self._taking is None:
            self._taking = asyncio.get_running_loop().create_task(self._take(self._clock()))

    async def last(self) -> Picture | None:
        """The newest, once it is there if one is being taken."""
        if self._taking is not None:
            await asyncio.wait([self._taking])
        return self.newest

    async def of_now(self) -> bytes:
        """Who rings now: the picture of the press, or another one if nobody pressed. OSError when there is none."""
        picture = await self.last()
        if picture is not None and self._clock() - picture.taken < FRESH_S:
            return picture.jpeg
        return await self._look()

    async def stop(self) -> None:
        """Take none any more."""
        if self._taking is not None:
            self._taking.cancel()
            await asyncio.wait([self._taking])

    async def _take(self, pressed: float) -> None:
        try:
            jpeg = await self._look()
            taken = self._clock()
            self.newest = Picture(jpeg, self._now(), taken, taken - pressed)
        except OSError as error:
            logger.info("No picture of who pressed: %s", error)
        finally:
            self._taking = None
