"""A press that waits for the service: its steps pass meanwhile, and it ends with the last of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from intercom.door.calls.kept_press import KeptPress, PressBook
from intercom.door.calls.ring_plan import Walk


class WaitingPress:
    """The press that waits, if there is one. Belongs to the event loop.

    :param show: shows the visitor whether a press waits.
    :param lapsed: is told the cause of one that waited in vain.
    """

    def __init__(self, book: PressBook, *, show: Callable[[], object], lapsed: Callable[[str], object]) -> None:
        self._book = book
        self._show = show
        self._lapsed = lapsed
        self._step_ends: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        """Return whether a press waits."""
        return self._step_ends is not None

    def begin(self, walk: Walk) -> None:
        """Let the press of the book wait."""
        self._stop()
        self._step_ends = asyncio.get_running_loop().call_at(walk.ends_at, self._step_lapsed)
        self._show()

    def take(self) -> KeptPress | None:
        """End the waiting and return the press; None if none waits."""
        if not self:
            return None
        self._stop()
        self._show()
        return self._book.press

    def forget(self, cause: str = "") -> bool:
        """Drop the press and return whether there was one; with a cause, tell that it reached nobody."""
        if self.take() is None:
            return False
        press = self._book.let_go()
        if cause:
            self._book.unreached(press, cause)
        return True

    def _stop(self) -> None:
        if self._step_ends is not None:
            self._step_ends.cancel()
            self._step_ends = None

    def _step_lapsed(self) -> None:
        """Go on to the step that is due, or give the press up after the last."""
        self._stop()
        if (press := self._book.press) is None:
            return
        walk = press.walk.elapsed(asyncio.get_running_loop().time())
        self._book.goes_on(walk)
        self.begin(walk)
        if walk.over:
            self.forget("NORMAL_TEMPORARY_FAILURE")
            self._lapsed("NORMAL_TEMPORARY_FAILURE")
