"""Runs the JSON-RPC session, without I/O: text and `now` go in, events and text come out (protocol.md §3).

States: DOWN (no socket), AUTHENTICATING (signalwire.connect is under way), READY, REFUSED (the socket is to
be closed). What holds in every state:

- A request ends exactly once: `RequestAnswered`, or `RequestFailed`. Its time-out counts from `request()`.
- Requests wait in order while the session is not READY, and leave once, in order, when it is.
- A request whose answer went down with the socket fails, unless it is idempotent: then it waits again, under
  the same id, before all younger ones.
- Every signalwire.event with an id is acknowledged; it is reported once, however often it is delivered.
- Nothing that arrives raises. What cannot be used becomes a `FrameRejected`.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from msgspec import UNSET, Struct, structs

from intercom.signalwire.errors import (
    AuthenticationError,
    BadFrameError,
    QueueFullError,
    RpcError,
    RpcTimeoutError,
    TransportError,
)
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.events import (
    Authenticated,
    AuthenticationRefused,
    ConnectFailed,
    ConnectUnanswered,
    DisconnectRequested,
    EventReceived,
    FrameRejected,
    RequestAnswered,
    RequestFailed,
    Resume,
    ResumeChanged,
    ResumeRefused,
    SessionEvent,
    StaleEventDropped,
)

RPC_TIMEOUT_S = 5.0
"""Time limit of a request (reference client: 5 s); the service answers in tens of milliseconds."""
MAX_PENDING = 256
"""Limit of pending requests: a door makes a handful a minute, so this many are a fault."""
REMEMBERED_EVENTS = 512
"""Number of event ids kept to recognise events that the service delivers again after a resume."""
MAX_EVENTS = 4096
"""Limit of events between two calls of `events`: a peer that sends only rubbish must not fill the memory."""

_REFUSAL_CODES = {m.AUTHENTICATION_FAILED, m.REQUESTER_VALIDATION_FAILED, m.INVALID_PARAMS}
"""Error codes that mean a refused credential; any other code is a temporary fault of the service."""


class SessionState(enum.Enum):
    """The state of the session."""

    DOWN = "down"
    AUTHENTICATING = "authenticating"
    READY = "ready"
    REFUSED = "refused"


@dataclass
class _Pending:
    request: m.Request
    deadline: float
    idempotent: bool
    sent: bool = False


class Session:
    """One subscriber's session, over any number of sockets in turn."""

    def __init__(
        self,
        *,
        agent: str,
        resume: Resume | None = None,
        new_id: Callable[[], str] = m.new_id,
        max_pending: int = MAX_PENDING,
    ) -> None:
        self.state = SessionState.DOWN
        self.resume = resume
        self.result: m.ConnectResult | None = None
        self._agent = agent
        self._new_id = new_id
        self._max_pending = max_pending
        self._pending: OrderedDict[str, _Pending] = OrderedDict()
        self._connect_id = ""
        self._connect_deadline = 0.0
        self._resuming = False
        self._seen: OrderedDict[str | int, None] = OrderedDict()
        self._outgoing: list[str] = []
        self._events: list[SessionEvent] = []

    # -- the socket ------------------------------------------------------------------------------------

    def socket_opened(self, now: float, token: str, *, dpop_token: str | None = None) -> None:
        """Authenticate with `token` on a new socket, and resume the session if there is a resume state."""
        self.socket_closed(now)
        resume = self.resume
        params = m.ConnectParams(
            m.Authentication(token),
            agent=self._agent,
            dpop_token=dpop_token or UNSET,
            authorization_state=resume.authorization_state if resume else UNSET,
            protocol=resume.protocol if resume else UNSET,
        )
        connect = m.request("signalwire.connect", params, id=self._new_id())
        self._connect_id = str(connect.id)
        self._connect_deadline = now + RPC_TIMEOUT_S
        self._resuming = resume is not None
        self.state = SessionState.AUTHENTICATING
        self._outgoing.append(m.encode(connect))

    def socket_closed(self, now: float) -> None:
        """Note that the socket is gone: unanswered requests fail, or wait again if they are idempotent."""
        self.state = SessionState.DOWN
        self._connect_id = ""
        self._outgoing.clear()
        for request_id, pending in list(self._pending.items()):
            if not pending.sent:
                continue
            if pending.idempotent and now < pending.deadline:
                pending.sent = False
            else:
                del self._pending[request_id]
                why = f"The connection was lost before {pending.request.method} was answered."
                self._report(RequestFailed(request_id, TransportError(why)))

    def renewed(self, answer: Any) -> None:
        """Take the answer to signalwire.reauthenticate: an embedded space gives new ICE servers as well."""
        if self.result is None or not isinstance(answer, dict) or "ice_servers" not in answer:
            return
        try:
            servers = m.decode({"ice_servers": answer["ice_servers"]}, m.ConnectResult).ice_servers
        except BadFrameError as error:
            self._report(FrameRejected(str(error)))
        else:
            self.result = structs.replace(self.result, ice_servers=servers)

    def forget(self) -> None:
        """Drop the resume state; the next socket starts a fresh session."""
        if self.resume is not None:
            self.resume = None
            self._report(ResumeChanged(None))
        self._seen.clear()

    # -- requests --------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        params: Struct | Mapping[str, Any],
        now: float,
        *,
        timeout_s: float = RPC_TIMEOUT_S,
        idempotent: bool = False,
    ) -> str:
        """Queue a request to the service; return its id.

        It leaves at once when READY, else when the session is READY again. `idempotent`: asking twice does no
        harm, so it may be sent again on the next socket. Raises `QueueFullError` when too many are pending.
        """
        if len(self._pending) >= self._max_pending:
            raise QueueFullError(f"{self._max_pending} requests are pending; {method} is not taken.")
        request = m.request(method, params, id=self._new_id())
        pending = _Pending(request, now + timeout_s, idempotent)
        self._pending[str(request.id)] = pending
        if self.state is SessionState.READY:
            self._send(pending)
        return str(request.id)

    def cancel(self, request_id: str) -> bool:
        """Cancel a request; return whether it was still unsent, so that the service never receives it."""
        pending = self._pending.pop(request_id, None)
        return pending is not None and not pending.sent

    def waiting(self, request_id: str) -> bool:
        """Return whether a request is still unsent."""
        pending = self._pending.get(request_id)
        return pending is not None and not pending.sent

    @property
    def pending(self) -> int:
        """Number of requests without an answer."""
        return len(self._pending)

    def _send(self, pending: _Pending) -> None:
        pending.sent = True
        self._outgoing.append(m.encode(pending.request))

    # -- time ------------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """Return the time of the next `tick`, on the clock of `now`; None: no deadline is set."""
        deadlines = [pending.deadline for pending in self._pending.values()]
        if self.state is SessionState.AUTHENTICATING:
            deadlines.append(self._connect_deadline)
        return min(deadlines, default=None)

    def tick(self, now: float) -> None:
        """Fail the requests whose time limit has passed."""
        for request_id, pending in list(self._pending.items()):
            if now >= pending.deadline:
                del self._pending[request_id]
                why = f"{pending.request.method} was not answered in time."
                self._report(RequestFailed(request_id, RpcTimeoutError(why)))
        if self.state is SessionState.AUTHENTICATING and now >= self._connect_deadline:
            self.state = SessionState.REFUSED
            self._report(ConnectUnanswered())

    # -- what arrives ----------------------------------------------------------------------------------

    def receive(self, text: str | bytes, now: float) -> None:
        """Take one frame from the socket. `now` is only echoed to pings that carry no time."""
        if self.state in {SessionState.DOWN, SessionState.REFUSED}:
            return
        try:
            frame = m.parse(text)
            if isinstance(frame, m.Response):
                self._receive_response(frame)
            else:
                self._receive_request(frame, now)
        except BadFrameError as error:
            self._report(FrameRejected(str(error)))

    def _receive_response(self, frame: m.Response) -> None:
        request_id = str(frame.id)
        if request_id == self._connect_id:
            self._connect_id = ""
            self._finish_connect(frame)
            return
        pending = self._pending.get(request_id)
        if pending is None or not pending.sent:
            raise BadFrameError("An answer came to no request of ours, or came twice; it is skipped.")
        del self._pending[request_id]
        if frame.error is not None:
            error = rpc_error(frame.error.number, frame.error.message, pending.request.method)
            self._report(RequestFailed(request_id, error))
        else:
            self._report(RequestAnswered(request_id, frame.result))

    def _finish_connect(self, frame: m.Response) -> None:
        if frame.error is not None:
            self.state = SessionState.REFUSED
            code = frame.error.number
            if code not in _REFUSAL_CODES:
                error = RpcError(code, frame.error.message, method="signalwire.connect")
                self._report(ConnectFailed(error))
            elif self._resuming:
                self.forget()
                self._report(ResumeRefused(code))
            else:
                refusal = AuthenticationError(code, frame.error.message, method="signalwire.connect")
                self._report(AuthenticationRefused(refusal))
            return
        try:
            result = m.decode(frame.result, m.ConnectResult)
        except BadFrameError:
            self.state = SessionState.REFUSED
            self._report(ConnectUnanswered())
            raise
        resumed = self._resuming and self.resume is not None and self.resume.protocol == result.protocol
        if not resumed:
            self._seen.clear()
        if self.resume is not None and self.resume.protocol != result.protocol:
            self._keep(Resume(self.resume.authorization_state, result.protocol))
        self.result = result
        self.state = SessionState.READY
        self._report(Authenticated(result, resumed))
        for pending in self._pending.values():
            if not pending.sent:
                self._send(pending)

    def _receive_request(self, frame: m.Request, now: float) -> None:
        match frame.method:
            case "signalwire.event":
                self._receive_event(frame)
            case "signalwire.ping":
                self._answer(m.response(frame.id, {"timestamp": frame.params.get("timestamp", now)}))
            case "signalwire.disconnect":
                self._answer(m.response(frame.id, {}))
                self._report(DisconnectRequested())
            case method:
                self._answer(m.error_response(frame.id, m.METHOD_NOT_FOUND, "unknown method"))
                known = method[:40] if method.isascii() and method.isprintable() else "?"
                raise BadFrameError(f"The service asked for {known}, which no client knows; it is refused.")

    def _receive_event(self, frame: m.Request) -> None:
        self._answer(m.response(frame.id, {}))
        if frame.id in self._seen:
            return
        event = m.decode(frame.params, m.Event)
        self._seen[frame.id] = None
        if len(self._seen) > REMEMBERED_EVENTS:
            self._seen.popitem(last=False)
        if self._is_stale(event):
            self._report(StaleEventDropped(event.event_type[:80]))
        elif event.event_type == "signalwire.authorization.state":
            state = m.decode(event.params, m.AuthorizationState).authorization_state
            protocol = self.result.protocol if self.result else ""
            self._keep(Resume(state, protocol))
        else:
            self._report(EventReceived(event))

    def _is_stale(self, event: m.Event) -> bool:
        channel = event.event_channel
        protocol = self.result.protocol if self.result else ""
        if not channel or not protocol or event.event_type.startswith("conversation."):
            return False
        return not any(protocol in name for name in ([channel] if isinstance(channel, str) else channel))

    def _keep(self, resume: Resume) -> None:
        if resume != self.resume:
            self.resume = resume
            self._report(ResumeChanged(resume))

    def _answer(self, response: m.Response) -> None:
        self._outgoing.append(m.encode(response))

    # -- what leaves -----------------------------------------------------------------------------------

    def frames_to_send(self) -> list[str]:
        """Return the frames for the socket, in order; each is handed out once."""
        frames, self._outgoing = self._outgoing, []
        return frames

    def events(self) -> list[SessionEvent]:
        """Return the events since the last call, in order; each is handed out once."""
        events, self._events = self._events, []
        return events

    def _report(self, event: SessionEvent) -> None:
        droppable = isinstance(event, FrameRejected | StaleEventDropped)
        if droppable and len(self._events) >= MAX_EVENTS:
            return
        self._events.append(event)


def rpc_error(code: int, message: str, method: str) -> RpcError:
    """Return the exception for a refusal, by its code."""
    kind = AuthenticationError if code in {m.AUTHENTICATION_FAILED, m.REQUESTER_VALIDATION_FAILED} else RpcError
    return kind(code, message, method=method)
