"""Wraps Verto messages for the service, and reads its refusals (protocol.md §5)."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from intercom.signalwire.errors import BadFrameError, CallError, RpcError
from intercom.signalwire.wire import messages as m

CALL_UNKNOWN = "CALL DOES NOT EXIST"
"""Message by which FreeSWITCH and the embedded space report that they do not have a call."""


class IncomingModify(Struct, frozen=True):
    """`verto.modify`, service to client: a request of the far end, passed on by the embedded space."""

    callID: str  # noqa: N815 - the wire's name
    action: str = ""
    """Action: "updateMedia", "hold", "unhold" or "transfer"."""
    sdp: str = ""
    """The far end's new offer, with updateMedia."""
    destination: str = ""
    """The address to call, with transfer."""


def known_params(params: m.DialogParams, *, fresh: bool) -> dict[str, Any]:
    """Return the dialog parameters in the reference client's form, without fields that it does not know.

    A fresh first description says nothing about attaching.
    """
    known = m.builtins(params)
    unknown = {name for name in known if "caller_id" in name and not known[name]}
    if fresh:
        unknown |= {"attach", "reattaching"}
    return {name: value for name, value in known.items() if name not in unknown}


def innermost(result: Any, kind: str) -> tuple[Any, Exception | None]:
    """Unwrap webrtc.verto's result; return (innermost result, None), or (None, the error of a refusal)."""
    try:
        outer = m.decode(result, m.WebrtcVertoResult)
    except BadFrameError as error:
        return None, error
    inner = outer.result if isinstance(outer.result, dict) else {}
    refusal = inner.get("error")
    if isinstance(refusal, dict):
        number = m.ErrorObject(refusal.get("code") or 0).number
        return None, RpcError(number, str(refusal.get("message", ""))[:200], method=kind)
    if outer.code != "200":
        return None, RpcError(m.ErrorObject(outer.code).number, "the service refused it", method=kind)
    innermost = inner.get("result", inner)
    if kind == "verto.invite" and not (isinstance(innermost, dict) and innermost.get("message") == "CALL CREATED"):
        return None, CallError("The service did not create the call.", cause="NORMAL_TEMPORARY_FAILURE")
    return innermost, None


def cause_of(error: Exception) -> str:
    """Return the cause name of a refusal: its message if that is one, or the name for its number."""
    if isinstance(error, CallError) and error.cause:
        return error.cause
    if isinstance(error, RpcError):
        if error.message in m.CAUSE_CODES:
            return error.message
        for name, code in m.CAUSE_CODES.items():
            if code == error.code:
                return name
    if isinstance(error, TimeoutError):
        return "RECOVERY_ON_TIMER_EXPIRE"
    return "NORMAL_TEMPORARY_FAILURE"
