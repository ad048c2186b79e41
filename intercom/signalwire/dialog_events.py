"""What a Verto dialog reports, and what it wants sent."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

from intercom.signalwire import messages as m


class CallStatus(enum.StrEnum):
    """A call's status (protocol.md §5)."""

    NEW = "new"
    """Nothing is sent yet, or the invite is not confirmed."""
    TRYING = "trying"
    """The service has the invite."""
    RINGING = "ringing"
    """The far end rings, or sends early media; an inbound call waits for an answer."""
    CONNECTING = "connecting"
    """Answered; the media connects."""
    CONNECTED = "connected"
    """Sound flows."""
    RECOVERING = "recovering"
    """Answered, but the media is gone and on its way back."""
    DISCONNECTING = "disconnecting"
    """Our bye is on its way."""
    DISCONNECTED = "disconnected"
    """Over, as calls end."""
    FAILED = "failed"
    """Over, by a fault."""
    DESTROYED = "destroyed"
    """Nothing is left of it."""


@dataclass(frozen=True)
class StatusChanged:
    """The call has a new status."""

    status: CallStatus
    """The new one."""


@dataclass(frozen=True)
class FarAnswered:
    """The far end's session description is there; the media takes it."""

    sdp: str
    """Complete."""


@dataclass(frozen=True)
class DigitsReceived:
    """The far end pressed digits."""

    digits: str
    """Of 0-9, *, #, A-D."""


@dataclass(frozen=True)
class InfoReceived:
    """The far end's application said something."""

    info: dict[str, Any]
    """In its words."""


@dataclass(frozen=True)
class MediaParamsReceived:
    """The service wants other constraints on what we send."""

    params: dict[str, Any]
    """{"audio": {...}, "video": {...}}."""


@dataclass(frozen=True)
class FarOffered:
    """The far end offers new media, or new ICE; answer it with `Dialog.answer_update`."""

    sdp: str
    """Complete."""


@dataclass(frozen=True)
class FarHeld:
    """The far end holds us, or takes us back."""

    held: bool
    """Whether we are held."""


@dataclass(frozen=True)
class TransferAsked:
    """The far end asks us to call another address in its place."""

    destination: str
    """Which."""


@dataclass(frozen=True)
class Ended:
    """The call is over; its media is to be closed."""

    cause: str
    """For example "NORMAL_CLEARING", "USER_BUSY", "MEDIA_TIMEOUT"."""
    by: str
    """"near" end, "far" end, "media" or "service"."""


@dataclass(frozen=True)
class RequestConcluded:
    """A request of this dialog is over."""

    key: int
    """As the method that made it returned it."""
    result: Any
    """The innermost result, as builtins."""
    error: Exception | None
    """Set when it failed."""


@dataclass(frozen=True)
class MessageIgnored:
    """A message made no sense now."""

    reason: str
    """One sentence."""


DialogEvent = (
    StatusChanged
    | FarAnswered
    | FarOffered
    | FarHeld
    | TransferAsked
    | DigitsReceived
    | InfoReceived
    | MediaParamsReceived
    | Ended
    | RequestConcluded
    | MessageIgnored
)


@dataclass(frozen=True)
class VertoRequest:
    """A webrtc.verto request that the dialog wants sent."""

    key: int
    """Hand it back with the answer, to `Dialog.concluded`."""
    params: m.WebrtcVerto
    """The whole."""
    idempotent: bool
    """May be sent again on the next socket."""
    timeout_s: float
    """How long an answer is worth something."""
