"""Log lines that strangers cause: one of a kind in a while, with how many it stands for."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

PAUSE_S: Final = 60.0
"""Time between two lines of one kind."""
KINDS_LIMIT: Final = 64
"""Kinds that are remembered; all of them are named in this program, so there are a handful."""


class Seldom:
    """Logs through `logger`, each kind of line once in `pause_s`.

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
        """Log `message` unless a line of this kind was logged just now; the next one tells how many were not."""
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
