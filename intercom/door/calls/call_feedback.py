"""What a call shows the visitor, beyond the machine's states."""

from __future__ import annotations

from typing import Protocol


class CallFeedback(Protocol):
    """Shows a call to the visitor; `Feedback` is one."""

    def trying(self, on: bool) -> None:
        """A press begins, or stops, to wait for somebody to be reachable."""

    def failed(self, cause: str) -> None:
        """The door could not reach the house."""

    def call_ending(self) -> None:
        """The call's time limit is near."""

    def auto_answered(self) -> None:
        """The door answered by itself."""

    def muted(self, on: bool) -> None:
        """The call sends silence in place of the microphone, or no longer does."""
