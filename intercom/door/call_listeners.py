"""Protocol of the visitor's feedback, as far as calls need it."""

from __future__ import annotations

from typing import Protocol


class CallFeedback(Protocol):
    """Call feedback for the visitor, beyond the machine's states."""

    def trying(self, on: bool) -> None:
        """A press begins, or stops, to wait for somebody to be reachable."""

    def failed(self, cause: str) -> None:
        """The door could not reach the house."""

    def call_ending(self) -> None:
        """The call's time limit is near."""

    def auto_answered(self) -> None:
        """The door answered by itself."""
