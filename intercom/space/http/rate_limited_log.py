"""Limits the log lines that strangers cause: one of a kind in a while, with the count of those that it replaces."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

PAUSE_S: Final = 60.0
"""Least time between two lines of one kind."""
KINDS_LIMIT: Final = 64
"""Limit of kinds that are remembered; all of them are named in this program, so there are a handful."""


class Seldom:
    """Logs each kind of line through `logger`, once in `pause_s`.

    :param now: monotonic seconds.
    """

    def __init__(
        self, logger: logging.Logger, *, pause_s: float = PAUSE_S, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._logger = logger
        self._pause_s = pause_s
        self._now = now
        self._said: dict[str, float] = {}
        self._held_back: dict[str, int] = {}

    def warn(self, kind: str, message: str, *values: object) -> None:
        """Log `message` unless a line of this kind was logged just now; the next line gives the number left out."""
        now = self._now()
        said = self._said.get(kind)
        if said is not None and now - said < self._pause_s:
            self._held_back[kind] = self._held_back.get(kind, 0) + 1
            return
        self._said.pop(kind, None)
        while len(self._said) >= KINDS_LIMIT:
            del self._said[next(iter(self._said))]
        self._said[kind] = now
        more = self._held_back.pop(kind, 0)
        self._logger.warning(message + (f" ({more} more since the last such line)" if more else ""), *values)
