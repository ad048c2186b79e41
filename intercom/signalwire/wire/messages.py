"""The messages of the wire as structs (protocol.md §3 to §5).

Both ends use this file: the client, and the embedded space. `parse` and `encode` are the only way between
text and `Request`/`Response`; the structs describe what stands in `params` and `result`. Reading is lenient
(unknown fields are ignored), writing is exact (fields stand in the reference client's form).
"""
# ruff: noqa: I001, N815, PLC0414 - fields have the wire's names; one import serves both ends

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET, Struct, UnsetType, field

from intercom.signalwire.errors import BadFrameError as BadFrameError
from intercom.signalwire.wire.jsonrpc import (
    AUTHENTICATION_FAILED as AUTHENTICATION_FAILED,
    INTERNAL_ERROR as INTERNAL_ERROR,
    INVALID_PARAMS as INVALID_PARAMS,
    INVALID_REQUEST as INVALID_REQUEST,
    MAX_FRAME_BYTES as MAX_FRAME_BYTES,
    METHOD_NOT_FOUND as METHOD_NOT_FOUND,
    PARSE_ERROR as PARSE_ERROR,
    REQUESTER_VALIDATION_FAILED as REQUESTER_VALIDATION_FAILED,
    ErrorObject as ErrorObject,
    Request as Request,
    Response as Response,
    builtins as builtins,
    decode as decode,
    encode as encode,
    error_response as error_response,
    new_id as new_id,
    parse as parse,
    request as request,
    response as response,
)

INVITE_VERSION = 1000

INVITE_SUBSCRIBE = (
    "track", "destroy", "member.updated.videoMuted", "layout.changed", "room.subscribed",
    "member.updated.audioMuted", "media.connected", "room.updated", "call.joined",
)  # fmt: skip
"""Room events to which a new outgoing invite subscribes (protocol.md §5)."""

CAUSE_CODES: Mapping[str, int] = {
    "UNALLOCATED_NUMBER": 1,
    "NO_ROUTE_DESTINATION": 3,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "INVALID_NUMBER_FORMAT": 28,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "ORIGINATOR_CANCEL": 487,
    "LOSE_RACE": 502,
    "USER_NOT_REGISTERED": 606,
    "PICKED_OFF": 614,
    "MEDIA_TIMEOUT": 804,
}
"""Q.850 codes by their FreeSWITCH names (ITU-T Q.850); MEDIA_TIMEOUT, PICKED_OFF and LOSE_RACE are FreeSWITCH's own."""


# -- signalwire.* (protocol.md §3) -------------------------------------------------------------------------


class Version(Struct, frozen=True):
    """The version of the protocol that a client speaks."""

    major: int = 4
    minor: int = 0
    revision: int = 0


class Authentication(Struct, frozen=True, omit_defaults=True):
    """The credential of a client."""

    jwt_token: str
    """The SAT; on a resume the stored one, even expired."""
    project: str | UnsetType = UNSET
    """The project id, in signalwire.reauthenticate only; sent even when empty."""


class ConnectParams(Struct, frozen=True, omit_defaults=False):
    """`signalwire.connect`: opens a session, or resumes one."""

    authentication: Authentication
    version: Version = Version()
    agent: str = ""
    """Name and version of the client."""
    contexts: list[str] = field(default_factory=list)
    eventing: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    event_acks: bool = True
    """Whether the client acknowledges every event."""
    dpop_token: str | UnsetType = UNSET
    """DPoP proof of possession, RPC form (protocol.md §2)."""
    authorization_state: str | UnsetType = UNSET
    """The stored authorization state, opaque; only on a resume."""
    protocol: str | UnsetType = UNSET
    """The session's channel; only on a resume."""


class Confirmation(Struct, frozen=True):
    """The confirmation claim: the key that a token is bound to (RFC 7800)."""

    jkt: str
    """RFC 7638 thumbprint of the key."""


class FabricSubscriber(Struct, frozen=True):
    """The subscriber that the session stands for."""

    version: int = 1
    expires_at: float = 0
    """Expiry time of the token, seconds since 1970."""
    subscriber_id: str = ""
    application_id: str | None = None
    project_id: str = ""
    space_id: str = ""


class Authorization(Struct, frozen=True):
    """The permissions of the session."""

    jti: str = ""
    project_id: str = ""
    scope: list[str] = field(default_factory=list)
    fabric_subscriber: FabricSubscriber = FabricSubscriber()
    cnf: Confirmation | UnsetType = UNSET
    """The DPoP key that the token is bound to, if it is bound."""


class IceServer(Struct, frozen=True, omit_defaults=True):
    """A STUN or TURN server (W3C RTCIceServer)."""

    urls: list[str] | str
    username: str = ""
    credential: str = ""
    credentialType: str = ""


class ConnectResult(Struct, frozen=True):
    """The answer to `signalwire.connect`."""

    identity: str = ""
    protocol: str = ""
    """The session's channel; events that name another are stale."""
    authorization: Authorization = Authorization()
    ice_servers: list[IceServer] = field(default_factory=list)
    """The ICE servers for the peer connections."""


class Reauthenticate(Struct, frozen=True):
    """`signalwire.reauthenticate`: a new token for a living session."""

    authentication: Authentication
    dpop_token: str | UnsetType = UNSET


class Ping(Struct, frozen=True):
    """`signalwire.ping`, and its answer."""

    timestamp: float = 0
    """Seconds since 1970."""


class AuthorizationState(Struct, frozen=True):
    """Event `signalwire.authorization.state`: the state that resumes this session later."""

    authorization_state: str
    """The state, opaque; keep it as a secret."""


class Event(Struct, frozen=True):
    """`signalwire.event`: an event from the service."""

    event_type: str
    """Type of the event, for example "webrtc.message", "member.joined"."""
    params: dict[str, Any] = field(default_factory=dict)
    """The event's own fields; of webrtc.message, a `VertoMessage`."""
    event_channel: str | list[str] | None = ""
    """The sessions that the event is for; it must contain the session's `protocol`."""
    timestamp: float | str | None = 0
    """Seconds since 1970."""
    project_id: str | None = ""
    node_id: str | None = ""
    """The node that holds the call."""


# -- Verto inside webrtc.verto (protocol.md §5) ------------------------------------------------------------


class VertoMessage(Struct, frozen=True):
    """A verto.* request, inside webrtc.verto or event webrtc.message."""

    method: str
    """Verto method, for example "verto.invite"."""
    params: dict[str, Any] = field(default_factory=dict)
    id: str | int = ""
    jsonrpc: str = "2.0"


class WebrtcVerto(Struct, frozen=True, omit_defaults=True):
    """`webrtc.verto`: one Verto message on its way to the call's node."""

    message: VertoMessage
    callID: str = ""
    node_id: str | UnsetType = UNSET
    """The node that holds the call; "" on a fresh invite."""
    subscribe: list[str] | UnsetType = UNSET
    """The room events wanted."""


class CallCreated(Struct, frozen=True):
    """The innermost result of an invite."""

    message: str = ""
    """Result, "CALL CREATED"."""
    callID: str = ""
    memberID: str = ""


class WebrtcVertoResult(Struct, frozen=True):
    """The answer to `webrtc.verto`: the Verto response, wrapped once more."""

    node_id: str = ""
    code: str = "200"
    result: Any = None
    """The Verto response, {"jsonrpc", "id", "result" | "error"}."""


class DialogParams(Struct, frozen=True):
    """The caller and the callee, in every verto message of the client (protocol.md §5)."""

    callID: str
    destination_number: str = ""
    """The address dialled, with its query."""
    caller_id_name: str = ""
    caller_id_number: str = ""
    remote_caller_id_name: str = ""
    remote_caller_id_number: str = ""
    userVariables: dict[str, Any] = field(default_factory=dict)
    """Variables for the far end, passed on unchanged."""
    attach: bool = False
    reattaching: bool = False
    """True to resume a known call after its client returned."""
    screenShare: bool = False
    additionalDevice: bool = False
    pingSupported: bool = True
    version: int = INVITE_VERSION


class Info(Struct, frozen=True):
    """`verto.info`: digits, or an application's message; both ways."""

    dialogParams: dict[str, Any] = field(default_factory=dict)
    """The call, {"callID"}."""
    callID: str = ""
    """The call's id, in messages from the service."""
    sessid: str | UnsetType = UNSET
    dtmf: str | UnsetType = UNSET
    """Digits pressed."""
    intercom: dict[str, Any] | UnsetType = UNSET
    """Message from one Intercom to another; the service passes it on unchanged."""

    @property
    def call_id(self) -> str:
        """Return the call's id, from any place that holds it."""
        return self.callID or str(self.dialogParams.get("callID", ""))


class IncomingInvite(Struct, frozen=True):
    """`verto.invite`, service to client."""

    callID: str
    sdp: str
    """The offer, complete."""
    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    display_direction: str = ""
    """Direction of the call, "inbound" or "outbound"."""
    caller_kind: str = ""
    """Kind of the caller, "resident" or "door", from the embedded space; SignalWire does not say."""
    userVariables: dict[str, Any] = field(default_factory=dict)
    """Variables that the caller sent along; they may claim anything."""


class IncomingAnswer(Struct, frozen=True):
    """`verto.answer` and `verto.media`, service to client."""

    callID: str
    sdp: str = ""
    """The answer; empty after a verto.media."""
    callee_kind: str = ""
    """The kind of the end that answered, as `IncomingInvite.caller_kind`."""
    callee_name: str = ""
    """The display name of the end that answered, where several rang; from spaces."""
    callee_number: str = ""
    """The address at which somebody answered, where several were called at once; from spaces."""


class IncomingBye(Struct, frozen=True):
    """`verto.bye`, service to client."""

    callID: str
    cause: str = "NORMAL_CLEARING"
    causeCode: int | str = 16


class IncomingMediaParams(Struct, frozen=True):
    """`verto.mediaParams`: new constraints for our media."""

    callID: str
    mediaParams: dict[str, Any] = field(default_factory=dict)
    """Constraints, {"audio": {...}, "video": {...}}, W3C MediaTrackConstraints."""


class Attach(Struct, frozen=True):
    """`verto.attach`, service to client: a call of ours goes on after a resume."""

    callID: str
    sdp: str = ""
    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    display_direction: str = ""
