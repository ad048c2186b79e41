"""Protocols of the listeners to call events: the visitor's signs and the journal."""

from __future__ import annotations

from typing import Protocol

from intercom.signalwire import WebRTCCall


class CallSigns(Protocol):
    """Call feedback for the visitor, beyond the machine's states."""

    def trying(self, on: bool) -> None:
        """A press begins, or stops, to wait for somebody to be reachable."""

    def failed(self, cause: str) -> None:
        """The door could not reach the house."""

    def call_ending(self) -> None:
        """The call's time limit is near."""

    def auto_answered(self) -> None:
        """The door answered by itself."""


class Journal(Protocol):
    """Listener to the events of each call, for the call log and the figures."""

    def pressed(self) -> None:
        """A visitor's press begins to ring the house."""

    def began(self, call: WebRTCCall) -> None:
        """The service has accepted our call, or somebody calls the door."""

    def rang_again(self, before: WebRTCCall, call: WebRTCCall) -> None:
        """The press whose call `before` is over rings on with this call."""

    def answered(self, call: WebRTCCall) -> None:
        """The far end or the door answered the call."""

    def ended(self, call: WebRTCCall, cause: str) -> None:
        """The call is over; reported once for each call that began."""

    def unreached(self, address: str, cause: str) -> None:
        """A press was given up before the service accepted a call for it."""
