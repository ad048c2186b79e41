"""The event loop of a service: asyncio's own, which asks the kernel less often."""

from __future__ import annotations

import asyncio
import contextlib
import selectors
from typing import Any


class Selector(selectors.EpollSelector):
    """Asks the kernel only every other time while work waits.

    asyncio asks before each round, also when it has something to do and does not wait: after each picture and each
    packet once more, for most of these set only something off that is done in the next round.
    """

    _passed_over = False

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Return what is ready; without asking, nothing."""
        self._passed_over = timeout is not None and timeout <= 0 and not self._passed_over
        return [] if self._passed_over else super().select(timeout)


class ServiceLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, which reads a wake-up of another thread once.

    asyncio reads until nothing is left, a system call more for each picture and each press. What is left here wakes the
    loop again. Should asyncio name its method otherwise, its own is used, and all that is lost is the saving.
    """

    def __init__(self) -> None:
        super().__init__(Selector())

    def _read_from_self(self) -> None:
        ours: Any = self
        with contextlib.suppress(BlockingIOError, InterruptedError):
            ours._process_self_data(ours._ssock.recv(4096))
