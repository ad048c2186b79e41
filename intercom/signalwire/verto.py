"""How Verto messages are wrapped for the service, and what its refusals mean (protocol.md §5)."""

from __future__ import annotations

from typing import Any

from intercom.signalwire import messages as m
from intercom.signalwire.errors import BadFrameError, CallError, RpcError


def known_params(params: m.DialogParams, *, fresh: bool) -> dict[str, Any]:
    """The dialog parameters as the reference client writes them: without what it does not know.

    A fresh first description says nothing about attaching.
    """
    known = m.builtins(params)
    unknown = {name for name in known if "caller_id" in name and not known[name]}
    if fresh:
        unknown |= {"attach", "reattaching"}
    return {name: value for name, value in known.items() if name not in unknown}


def innermost(result: Any, kind: str) -> tuple[Any, Exception | None]:
    """Unwrap webrtc.verto's result: (innermost result, None), or (None, why it is a refusal)."""
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
    """The cause name that a refusal stands for: its message when that is one, or its number's."""
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
