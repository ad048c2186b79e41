"""What the door and the far end of its call say to each other about the lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from intercom.door.calls.active_call import CurrentCall
from intercom.opening.opener import DoorOpener
from intercom.signalwire import KeyPress


class LockTalk:
    """Takes the far end's wishes, and tells it what the lock does. Belongs to the event loop.

    :param send: sends a message to the far end of a call.
    """

    def __init__(self, opener: DoorOpener, *, send: Callable[[CurrentCall, dict[str, Any]], object]) -> None:
        self._opener = opener
        self._send = send
        self._opened_by = ""
        "who opened the door last"

    def key(self, current: CurrentCall, press: KeyPress) -> None:
        """Handle a key that the far end pressed."""
        if told := self._opener.key(current, press):
            self._send(current, told)

    def asked(self, current: CurrentCall, info: dict[str, Any]) -> None:
        """Handle a request of the far end's application, for example a page of the house that asks to open the door."""
        if info.get("door") == "open" and (told := self._opener.button(current)):
            self._send(current, told)

    def opened(self, by: str, current: CurrentCall | None) -> None:
        """Note who opens the door; a space in which the door still rings learns it, for whoever is rung."""
        self._opened_by = for_people(by)
        if current is not None and current.in_space and current.outbound and not current.answered:
            self._send(current, {"door": "open", "by": self._opened_by})

    def changed(self, is_open: bool, current: CurrentCall | None) -> None:
        """Tell the far end of an answered call that the door opened or closed, and within a space who opened it."""
        if current is None or not current.answered:
            return
        told: dict[str, Any] = {"door": "open" if is_open else "closed"}
        if is_open and current.in_space and self._opened_by:
            told["by"] = self._opened_by
        self._send(current, told)


def for_people(by: str) -> str:
    """Return the name of whoever opens the door as a page shows it: a key's comment without its user."""
    return by.partition(" (")[0].removeprefix("ssh ")
