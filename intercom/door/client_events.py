"""Passes what the client reports on to the parts of the door that follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from intercom.signalwire import SignalWire, WebRTCCall
from intercom.signalwire.wire.messages import Event


class ClientEvents:
    """The door's subscriptions to its client."""

    def __init__(
        self,
        client: SignalWire,
        *,
        registered: Callable[[bool], None],
        incoming: Callable[[Iterable[WebRTCCall]], None],
        told: tuple[Callable[[Event], None], ...],
    ) -> None:
        """Pass on registration, calls to the door, and the service's events."""
        self._client = client
        self._registered = registered
        self._incoming = incoming
        self._told = told
        self._subscriptions: list[Any] = []

    def follow(self) -> None:
        """Subscribe, again if need be: a subscriber that raised gets no more events."""
        self.unfollow()
        session = self._client.session
        self._subscriptions = [
            self._client.is_registered_stream.subscribe(self._registered),
            session.incoming_calls_stream.subscribe(self._incoming),
            *(session.signaling_event_stream.subscribe(told) for told in self._told),
        ]

    def unfollow(self) -> None:
        """End the subscriptions."""
        for subscription in self._subscriptions:
            subscription.dispose()
