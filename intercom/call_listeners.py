"""Who is told what becomes of calls: the visitor, and the journal."""

from __future__ import annotations

from typing import Protocol

from intercom.signalwire import WebRTCCall


class CallSigns(Protocol):
    """What the plan tells the visitor beyond the machine's states."""

    def trying(self, on: bool) -> None:
        """A press waits for somebody to be reachable, or no longer."""

    def failed(self, cause: str) -> None:
        """The house could not be reached."""

    def call_ending(self) -> None:
        """The time limit is near."""

    def auto_answered(self) -> None:
        """The door answered by itself."""


class Journal(Protocol):
    """Who is told what becomes of each call, for the call log and the figures."""

    def began(self, call: WebRTCCall) -> None:
        """The service has our call, or somebody calls us."""

    def rang_again(self, before: WebRTCCall, call: WebRTCCall) -> None:
        """The press that began with `before`, which is over, goes on to ring with this call."""

    def answered(self, call: WebRTCCall) -> None:
        """One of the two ends answered."""

    def ended(self, call: WebRTCCall, cause: str) -> None:
        """It is over, told once of each that began."""

    def unreached(self, address: str, cause: str) -> None:
        """The service had no call for a press until somebody gave up."""
