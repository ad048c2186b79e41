"""Our leg of a call: its ids, its parties, and the node of the service that holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.verto import known_params

FarEndKind = Literal["unknown", "resident", "door"]


def far_end_kind_of(told: str) -> FarEndKind:
    """Return the far end's kind from the service's word; an unfamiliar word means unknown."""
    return "door" if told == "door" else "resident" if told == "resident" else "unknown"


@dataclass
class CallLeg:
    """The fields by which both ends and the service know a call."""

    call_id: str
    direction: str
    """Direction, "inbound" or "outbound"."""
    _: KW_ONLY
    from_: str = ""
    from_name: str = ""
    to: str = ""
    to_name: str = ""
    answered_by: str = ""
    "display name of whoever answered for an address that rings several, as the service tells it; never sent"
    answered_address: str = ""
    "which of several addresses that were rung at once answered, as the embedded space tells it; never sent"
    far_end_kind: FarEndKind = "unknown"
    user_variables: dict[str, Any] = field(default_factory=dict)
    node_id: str = ""
    """Node of the service that holds the call."""
    reattach: bool = False
    """Whether the call is one of an earlier process, resumed by this one."""
    member_id: str = ""
    """Our member id in the call; empty until the service reports it."""
    aliases: set[str] = field(init=False)
    """Every id under which the service knows the call."""

    def __post_init__(self) -> None:
        self.aliases = {self.call_id}

    @classmethod
    def of_invite(cls, invite: m.IncomingInvite, node_id: str) -> CallLeg:
        """Return our leg of an inbound call."""
        return cls(
            invite.callID,
            "inbound",
            from_=invite.caller_id_number,
            from_name=invite.caller_id_name,
            to=invite.callee_id_number,
            to_name=invite.callee_id_name,
            far_end_kind=far_end_kind_of(invite.caller_kind),
            user_variables=invite.userVariables or {},
            node_id=node_id,
        )

    def joined(self, params: Mapping[str, Any]) -> None:
        """Note our member id from the first call.joined; a later one may tell of a call within the call."""
        member_id = params.get("member_id")
        if isinstance(member_id, str):
            self.member_id = self.member_id or member_id

    def short_params(self) -> dict[str, Any]:
        """Return the parameters by which a message names the call."""
        return {"sessid": self.call_id, "dialogParams": {"callID": self.call_id}}

    def dialog_params(self, *, first: bool = False) -> dict[str, Any]:
        """Return the parameters that describe the call; `first`: before both ends have described their media."""
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
            attach=first and self.reattach,
            reattaching=first and self.reattach,
        )
        return known_params(params, fresh=first and not self.reattach)
