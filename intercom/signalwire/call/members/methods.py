"""Runs the service's `call.*` methods on the members of a call (protocol.md §5)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.signalwire.call.line import CallLine
from intercom.signalwire.errors import RpcError
from intercom.signalwire.wire import messages as m


class CallMethods:
    """The `call.*` methods of one call."""

    def __init__(self, line: CallLine, leg: CallLeg) -> None:
        self._line = line
        self._leg = leg

    async def execute(self, target: str | Mapping[str, str], method: str, args: Mapping[str, Any]) -> Any:
        """Run a method on a member: an id in our own call, or {"member_id", "call_id", "node_id"}.

        Raises `RpcError` when the service refuses it.
        """
        leg = self._leg
        me = {"node_id": leg.node_id, "call_id": leg.call_id, "member_id": leg.member_id}
        params: dict[str, Any] = {**args, "self": me}
        if method != "call.member.position.set":
            if isinstance(target, str):
                params["target"] = {**me, "member_id": target}
            else:
                params["targets"] = [dict(target)]
        result = await self._line.execute(method, params)
        code = result.get("code", "200") if isinstance(result, dict) else "200"
        if str(code) != "200":
            number = m.ErrorObject(code if isinstance(code, int | str) else 0).number
            raise RpcError(number, str(result.get("message", ""))[:200], method=method)
        return result

    async def execute_on_me(self, method: str, args: Mapping[str, Any]) -> Any:
        """Run a method on our own member."""
        return await self.execute(self._leg.member_id, method, args)

    async def execute_any(self, method: str, params: Mapping[str, Any]) -> Any:
        """Send any request to the service and return its result."""
        return await self._line.execute(method, params)
