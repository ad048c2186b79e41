"""Holds the fields of a Verto dialog, its outgoing requests and its events."""

from __future__ import annotations

from typing import Any, Literal

from msgspec import UNSET, Struct

from intercom.signalwire.call.dialog_events import DialogEvent, VertoRequest
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.verto import known_params

REQUEST_TIMEOUT_S = 5.0
"""Time limit of a request that changes a call: the service answers it at once or not at all."""

FarEndKind = Literal["unknown", "resident", "door"]


def far_end_kind_of(told: str) -> FarEndKind:
    """Return the far end's kind from the service's word; an unfamiliar word means unknown."""
    return "door" if told == "door" else "resident" if told == "resident" else "unknown"


class IncomingModify(Struct, frozen=True):
    """`verto.modify`, service to client: a request of the far end, passed on by the embedded space."""

    callID: str  # noqa: N815 - the wire's name
    action: str = ""
    """Action: "updateMedia", "hold", "unhold" or "transfer"."""
    sdp: str = ""
    """The far end's new offer, with updateMedia."""
    destination: str = ""
    """The address to call, with transfer."""


class DialogBase:
    """The fields of a dialog, and its outbox."""

    def __init__(  # one parameter for each field of the invite
        self,
        call_id: str,
        direction: str,
        *,
        from_: str = "",
        from_name: str = "",
        to: str = "",
        to_name: str = "",
        far_end_kind: FarEndKind = "unknown",
        user_variables: dict[str, Any] | None = None,
        node_id: str = "",
        reattach: bool = False,
    ) -> None:
        self.call_id = call_id
        self.direction = direction
        self.from_, self.from_name, self.to, self.to_name = from_, from_name, to, to_name
        self.far_end_kind = far_end_kind
        self.user_variables = user_variables or {}
        self.node_id = node_id
        self.member_id = ""
        self.aliases = {call_id}
        self._reattach = reattach
        self._key = 0
        self._kinds: dict[int, str] = {}
        self._requests: list[VertoRequest] = []
        self._events: list[DialogEvent] = []

    def _short_params(self) -> dict[str, Any]:
        return {"sessid": self.call_id, "dialogParams": {"callID": self.call_id}}

    def _dialog_params(self, *, first: bool = False) -> dict[str, Any]:
        variables: dict[str, Any] = {"memberCallId": self.call_id}
        if self.member_id:
            variables["memberId"] = self.member_id
        params = m.DialogParams(
            self.call_id,
            destination_number=self.to or self.from_,
            caller_id_name=self.from_name,
            caller_id_number=self.from_,
            remote_caller_id_name=self.to_name,
            remote_caller_id_number=self.to,
            userVariables=variables | self.user_variables,
            attach=first and self._reattach,
            reattaching=first and self._reattach,
        )
        return known_params(params, fresh=first and not self._reattach)

    def _send(
        self,
        method: str,
        params: dict[str, Any],
        *,
        first: bool = False,
        idempotent: bool = False,
        timeout_s: float = REQUEST_TIMEOUT_S,
        kind: str = "",
    ) -> int:
        self._key += 1
        action = params.get("action")
        self._kinds[self._key] = kind or (action if action in {"hold", "unhold"} else method)
        verto = m.WebrtcVerto(
            m.VertoMessage(method, params, m.new_id()),
            callID=self.call_id,
            node_id=self.node_id,
            subscribe=list(m.INVITE_SUBSCRIBE) if first else UNSET,
        )
        self._requests.append(VertoRequest(self._key, verto, idempotent, timeout_s))
        return self._key

    def requests_to_send(self) -> list[VertoRequest]:
        """Return the requests for the service, in order; each is handed out once."""
        requests, self._requests = self._requests, []
        return requests

    def events(self) -> list[DialogEvent]:
        """Return the events since the last call, in order; each is handed out once."""
        events, self._events = self._events, []
        return events

    def _report(self, event: DialogEvent) -> None:
        self._events.append(event)
