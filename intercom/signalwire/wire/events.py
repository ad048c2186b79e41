"""The events of the session: one class for each fact, past tense."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True)
class Authenticated:
    """The session is READY."""

    result: m.ConnectResult
    """The service's answer to connect."""
    resumed: bool
    """True when the service resumed the session with its calls."""


@dataclass(frozen=True)
class ResumeRefused:
    """The stored resume state is invalid and is dropped; connect again, fresh."""

    code: int
    """Error code of the service."""


@dataclass(frozen=True)
class AuthenticationRefused:
    """The service refused the credential."""

    error: AuthenticationError
    """The error, with the service's message."""


@dataclass(frozen=True)
class ConnectFailed:
    """The service refused the connection for another reason than the credential; close the socket and try again."""

    error: RpcError
    """The error, with the service's message."""


@dataclass(frozen=True)
class ConnectUnanswered:
    """signalwire.connect was not answered in time; close the socket and try again."""


@dataclass(frozen=True)
class ResumeChanged:
    """The resume state is new; store it (None: forget it)."""

    resume: Resume | None
    """The complete resume state."""


@dataclass(frozen=True)
class RequestAnswered:
    """A request succeeded."""

    id: str
    """The request's id, as `request()` returned it."""
    result: Any
    """The result, as builtins."""


@dataclass(frozen=True)
class RequestFailed:
    """A request failed: refused, not answered in time, or lost with the socket."""

    id: str
    """The request's id, as `request()` returned it."""
    error: SignalWireError
    """The failure: RpcError, RpcTimeoutError or TransportError."""


@dataclass(frozen=True)
class EventReceived:
    """An event arrived from the service; it is acknowledged already."""

    event: m.Event
    """The event, decoded and of this session."""


@dataclass(frozen=True)
class StaleEventDropped:
    """An event of another session was dropped."""

    event_type: str
    """The type of the dropped event."""


@dataclass(frozen=True)
class DisconnectRequested:
    """The service asked us to leave this socket; close it and connect again."""


@dataclass(frozen=True)
class FrameRejected:
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
