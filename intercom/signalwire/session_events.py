"""What the session reports: one class for each fact, past tense."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from intercom.signalwire import messages as m
from intercom.signalwire.errors import AuthenticationError, RpcError, SignalWireError


class Resume(Struct, frozen=True):
    """What takes a session up again where it was left, even in another process. A secret."""

    authorization_state: str
    """Opaque, from the service."""
    protocol: str
    """The session's channel."""


@dataclass(frozen=True)
class Authenticated:
    """The session is READY."""

    result: m.ConnectResult
    """What the service told."""
    resumed: bool
    """True when the service went on where it was: its calls live."""


@dataclass(frozen=True)
class ResumeRefused:
    """The stored state is worth nothing (any more) and is dropped; connect again, fresh."""

    code: int
    """Why, as the service numbered it."""


@dataclass(frozen=True)
class AuthenticationRefused:
    """The service will not have this credential."""

    error: AuthenticationError
    """In its words."""


@dataclass(frozen=True)
class ConnectFailed:
    """The service could not take us now, for no fault of the credential; close the socket and try again."""

    error: RpcError
    """In its words."""


@dataclass(frozen=True)
class ConnectUnanswered:
    """signalwire.connect was not answered in time; close the socket and try again."""


@dataclass(frozen=True)
class ResumeChanged:
    """What resumes this session is new; store it (None: forget it)."""

    resume: Resume | None
    """The whole of it."""


@dataclass(frozen=True)
class RequestAnswered:
    """A request succeeded."""

    id: str
    """As `request()` gave it."""
    result: Any
    """As builtins."""


@dataclass(frozen=True)
class RequestFailed:
    """A request failed: refused, not answered in time, or lost with the socket."""

    id: str
    """As `request()` gave it."""
    error: SignalWireError
    """RpcError, RpcTimeoutError or TransportError."""


@dataclass(frozen=True)
class EventReceived:
    """The service told something; it is acknowledged already."""

    event: m.Event
    """Read and found to be of this session."""


@dataclass(frozen=True)
class StaleEventDropped:
    """An event was of another session."""

    event_type: str
    """What it would have been."""


@dataclass(frozen=True)
class DisconnectRequested:
    """The service asks us to leave this socket; close it and connect again."""


@dataclass(frozen=True)
class FrameRejected:
    """A frame could not be used and was skipped."""

    reason: str
    """One sentence, with nothing of the frame in it."""


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
