"""The events and requests of a Verto dialog."""

from __future__ import annotations

import enum
from typing import Any

from msgspec import Struct

from intercom.signalwire.wire import messages as m


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
    """The media flows."""
    RECOVERING = "recovering"
    """Answered, but the media is lost and being recovered."""
    DISCONNECTING = "disconnecting"
    """Our bye has been sent and is not confirmed yet."""
    DISCONNECTED = "disconnected"
    """The call has ended normally."""
    FAILED = "failed"
    """The call has ended by a fault."""
    DESTROYED = "destroyed"
    """The call has ended and its media is closed."""


class StatusChanged(Struct, frozen=True):
    """The call has a new status."""

    status: CallStatus
    """The new status."""


class FarAnswered(Struct, frozen=True):
    """The far end's session description has arrived, for the media."""

    sdp: str
    """The complete session description."""


class DigitsReceived(Struct, frozen=True):
    """The far end pressed digits."""

    digits: str
    """Digits among 0-9, *, #, A-D."""


class InfoReceived(Struct, frozen=True):
    """The far end's application sent a message."""

    info: dict[str, Any]
    """The message as the application sent it."""


class MediaParamsReceived(Struct, frozen=True):
    """The service asks for other constraints on our media."""

    params: dict[str, Any]
    """Constraints, {"audio": {...}, "video": {...}}."""


class FarOffered(Struct, frozen=True):
    """The far end offers new media, or new ICE; answer it with `Dialog.answer_update`."""

    sdp: str
    """The complete session description."""


class FarHeld(Struct, frozen=True):
    """The far end holds us, or resumes us."""

    held: bool
    """Whether we are held."""


class TransferAsked(Struct, frozen=True):
    """The far end asks us to call another address in its place."""

    destination: str
    """The address to call."""


class Ended(Struct, frozen=True):
    """The call has ended, and its media must be closed."""

    cause: str
    """Cause, for example "NORMAL_CLEARING", "USER_BUSY", "MEDIA_TIMEOUT"."""
    by: str
    """The side that ended the call: "near" end, "far" end, "media" or "service"."""


class RequestConcluded(Struct, frozen=True):
    """A request of this dialog was answered or has failed."""

    key: int
    """The request's key, as its method returned it."""
    result: Any
    """The innermost result, as builtins."""
    error: Exception | None
    """The failure, if the request failed."""


class MessageIgnored(Struct, frozen=True):
    """A message was ignored, because it does not fit the dialog's state."""

    reason: str
    """The reason, in one sentence."""


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


class VertoRequest(Struct, frozen=True):
    """A webrtc.verto request that the dialog wants sent."""

    key: int
    """The request's key, passed back to `Dialog.concluded` with the answer."""
    params: m.WebrtcVerto
    """The parameters of webrtc.verto."""
    idempotent: bool
    """Whether the request may be sent again on the next socket."""
    timeout_s: float
    """Time limit for the answer."""
