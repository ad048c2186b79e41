"""The program's view of the session: the reference client's flat API over the calls and the connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reactivex import Observable

from intercom.signalwire.call.webrtc_call import WebRTCCall
from intercom.signalwire.client.calls import Calls
from intercom.signalwire.watched import Shown
from intercom.signalwire.wire import messages as m


class ClientSession:
    """The calls of one client and the service's events, as `SignalWire.session`."""

    _calls: Calls

    def __init__(self, calls: Calls) -> None:
        self._calls = calls

    calls: Shown[ClientSession, list[WebRTCCall]] = Shown(lambda api: list(api._calls.open.value))
    """All calls that have not ended."""
    calls_stream: Shown[ClientSession, Observable[tuple[WebRTCCall, ...]]] = Shown(lambda api: api._calls.open.stream)
    """All calls that have not ended, now and at each change."""
    incoming_calls: Shown[ClientSession, list[WebRTCCall]] = Shown(lambda api: list(api._calls.incoming.value))
    """The inbound calls that have not ended, answered or not."""
    incoming_calls_stream: Shown[ClientSession, Observable[tuple[WebRTCCall, ...]]] = Shown(
        lambda api: api._calls.incoming.stream
    )
    """The inbound calls that have not ended, now and at each change."""
    authenticated: Shown[ClientSession, bool] = Shown(lambda api: api._calls.reachable)
    """Whether the client is authenticated."""
    authenticated_stream: Shown[ClientSession, Observable[bool]] = Shown(lambda api: api._calls.link.ready.stream)
    """Whether the client is authenticated, now and at each change."""
    signaling_event_stream: Shown[ClientSession, Observable[m.Event]] = Shown(lambda api: api._calls.events.stream)
    """All events of the service, as they come."""
    ice_servers: Shown[ClientSession, Sequence[Mapping[str, Any]]] = Shown(lambda api: api._calls.ice_servers)
    """ICE servers for peer connections: the service's, or the preferred ones (W3C RTCIceServer)."""

    async def execute(self, method: str, params: Mapping[str, Any], *, timeout_s: float = 5.0) -> Any:
        """Send any request to the service; return the result as builtins."""
        return await self._calls.link.requests.execute(method, params, timeout_s=timeout_s)
