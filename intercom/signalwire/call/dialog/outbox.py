"""The outbox of a Verto dialog: its requests for the service, and its events for the call."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from intercom.signalwire.call.dialog.events import DialogEvent, VertoRequest
from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.signalwire.wire import messages as m

REQUEST_TIMEOUT_S = 5.0
"""Time limit of a request that changes a call: the service answers it at once or not at all."""


class DialogOutbox:
    """The requests and events of one dialog that nobody has taken yet, and the requests without an answer."""

    def __init__(self, leg: CallLeg) -> None:
        self._leg = leg
        self._key = 0
        self._kinds: dict[int, str] = {}
        self._requests: list[VertoRequest] = []
        self._events: list[DialogEvent] = []

    def send(
        self,
        method: str,
        params: dict[str, Any],
        *,
        first: bool = False,
        idempotent: bool = False,
        timeout_s: float = REQUEST_TIMEOUT_S,
        kind: str = "",
    ) -> int:
        """Add a request to the service; return its key."""
        self._key += 1
        action = params.get("action")
        self._kinds[self._key] = kind or (action if action in {"hold", "unhold"} else method)
        verto = m.WebrtcVerto(
            m.VertoMessage(method, params, m.new_id()),
            callID=self._leg.call_id,
            node_id=self._leg.node_id,
            subscribe=list(m.INVITE_SUBSCRIBE) if first else UNSET,
        )
        self._requests.append(VertoRequest(self._key, verto, idempotent, timeout_s))
        return self._key

    def concluded(self, key: int) -> str | None:
        """Return the kind of an answered request: its method or action; None for one that is not expected."""
        return self._kinds.pop(key, None)

    def report(self, event: DialogEvent) -> None:
        """Add an event for the call."""
        self._events.append(event)

    def take_requests(self) -> list[VertoRequest]:
        """Return the requests for the service, in order; each is handed out once."""
        requests, self._requests = self._requests, []
        return requests

    def take_events(self) -> list[DialogEvent]:
        """Return the events since the last call, in order; each is handed out once."""
        events, self._events = self._events, []
        return events
