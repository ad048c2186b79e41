"""The event loop of a service: asyncio's own, which asks the kernel less often."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import selectors
import sys
from typing import Any

ONE = (1).to_bytes(8, sys.byteorder)
"""What is written to wake the loop: eventfd(2) takes a number of the machine's own order."""


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

    def tell_changes_alone(self, fd: int) -> None:
        """Return a registered descriptor once for each time that something arrives, read or not (epoll(7), EPOLLET)."""
        ours: Any = self
        ours._selector.modify(fd, select.EPOLLIN | select.EPOLLET)


class ServiceLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, whose wake-ups by other threads are not read.

    asyncio is woken by a byte in a socket, which it has to read: a system call more for each picture and each press.
    Here a count of the kernel's grows, which nobody reads. Should asyncio name its method otherwise, its own is used,
    and all that is lost is the saving.
    """

    def __init__(self) -> None:
        selector = Selector()
        super().__init__(selector)
        self._bell = os.fdopen(os.eventfd(0), "wb", buffering=0)
        self.add_reader(self._bell, _woken)
        selector.tell_changes_alone(self._bell.fileno())

    def _write_to_self(self) -> None:
        with contextlib.suppress(ValueError):  # it is closed
            self._bell.write(ONE)

    def close(self) -> None:
        """Close the loop."""
        super().close()
        self._bell.close()


def _woken() -> None:
    """Have nothing to do: the loop goes round."""
