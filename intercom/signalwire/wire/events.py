"""The events of the session: one class for each fact, past tense."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from intercom.signalwire.errors import AuthenticationError, RpcError, SignalWireError
from intercom.signalwire.wire import messages as m


class Resume(Struct, frozen=True):
    """The state that resumes a session, even in another process. A secret."""

    authorization_state: str
    """Authorization state, opaque, from the service."""
    protocol: str
    """The session's channel."""


class Authenticated(Struct, frozen=True):
    """The session is READY."""

    result: m.ConnectResult
    """The service's answer to connect."""
    resumed: bool
    """True when the service resumed the session with its calls."""


class ResumeRefused(Struct, frozen=True):
    """The stored resume state is invalid and is dropped; connect again, fresh."""

    code: int
    """Error code of the service."""


class AuthenticationRefused(Struct, frozen=True):
    """The service refused the credential."""

    error: AuthenticationError
    """The error, with the service's message."""


class ConnectFailed(Struct, frozen=True):
    """The service refused the connection for another reason than the credential; close the socket and try again."""

    error: RpcError
    """The error, with the service's message."""


class ConnectUnanswered(Struct, frozen=True):
    """signalwire.connect was not answered in time; close the socket and try again."""


class ResumeChanged(Struct, frozen=True):
    """The resume state is new; store it (None: forget it)."""

    resume: Resume | None
    """The complete resume state."""


class RequestAnswered(Struct, frozen=True):
    """A request succeeded."""

    id: str
    """The request's id, as `request()` returned it."""
    result: Any
    """The result, as builtins."""


class RequestFailed(Struct, frozen=True):
    """A request failed: refused, not answered in time, or lost with the socket."""

    id: str
    """The request's id, as `request()` returned it."""
    error: SignalWireError
    """The failure: RpcError, RpcTimeoutError or TransportError."""


class EventReceived(Struct, frozen=True):
    """An event arrived from the service; it is acknowledged already."""

    event: m.Event
    """The event, decoded and of this session."""


class StaleEventDropped(Struct, frozen=True):
    """An event of another session was dropped."""

    event_type: str
    """The type of the dropped event."""


class DisconnectRequested(Struct, frozen=True):
    """The service asked us to leave this socket; close it and connect again."""


class FrameRejected(Struct, frozen=True):
    """A frame could not be used and was skipped."""

    reason: str
    """The reason in one sentence, which quotes nothing of the frame."""


SessionEvent = (
    Authenticated
    | ResumeRefused
    | AuthenticationRefused
    | ConnectFailed
    | ConnectUnanswered
    | ResumeChanged
    | RequestAnswered
    | RequestFailed
    | EventReceived
    | StaleEventDropped
    | DisconnectRequested
    | FrameRejected
)
