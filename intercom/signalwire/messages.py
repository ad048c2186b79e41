"""The messages of the wire, and how they become text and back (protocol.md §3 to §5).

Both ends use this file: the client, and the embedded space. `parse` and `encode` are the only way between
text and `Request`/`Response`; the structs describe what stands in `params` and `result`. Reading is lenient
(unknown fields are ignored), writing is exact (fields stand in the reference client's form).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from intercom.signalwire.errors import BadFrameError as BadFrameError

# An offer with audio, video and a dozen candidates is 8 kB; nothing honest comes near this.
MAX_FRAME_BYTES = 256 * 1024
INVITE_VERSION = 1000

# JSON-RPC 2.0, section 5.1, and the service's own (protocol.md §3).
PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
AUTHENTICATION_FAILED = -32002
REQUESTER_VALIDATION_FAILED = -32003

# What a fresh outgoing invite subscribes to (protocol.md §5).
INVITE_SUBSCRIBE = (
    "track", "destroy", "member.updated.videoMuted", "layout.changed", "room.subscribed",
    "member.updated.audioMuted", "media.connected", "room.updated", "call.joined",
)  # fmt: skip

# ITU-T Q.850 causes by their FreeSWITCH names; MEDIA_TIMEOUT, PICKED_OFF and LOSE_RACE are FreeSWITCH's own.
CAUSE_CODES: Mapping[str, int] = {
    "UNALLOCATED_NUMBER": 1,
    "NORMAL_CLEARING": 16,
    "USER_BUSY": 17,
    "NO_USER_RESPONSE": 18,
    "NO_ANSWER": 19,
    "CALL_REJECTED": 21,
    "DESTINATION_OUT_OF_ORDER": 27,
    "NORMAL_TEMPORARY_FAILURE": 41,
    "INCOMPATIBLE_DESTINATION": 88,
    "RECOVERY_ON_TIMER_EXPIRE": 102,
    "ORIGINATOR_CANCEL": 487,
    "LOSE_RACE": 502,
    "USER_NOT_REGISTERED": 606,
    "PICKED_OFF": 614,
    "MEDIA_TIMEOUT": 804,
}


# -- JSON-RPC 2.0 ------------------------------------------------------------------------------------------


class ErrorObject(Struct, frozen=True):
    """Why a request failed (JSON-RPC 2.0, section 5.1)."""

    code: int | str = 0
    """A number; some parts of the service write it as text."""
    message: str = ""
    """One sentence."""
    data: Any = UNSET
    """Anything more."""

    @property
    def number(self) -> int:
        """The code as a number, 0 where it is none."""
        try:
            return int(self.code)
        except ValueError:
            return 0


class Request(Struct, frozen=True, omit_defaults=True):
    """A request, in either direction."""

    method: str
    """For example "signalwire.connect"."""
    params: dict[str, Any] = field(default_factory=dict)
    """The method's own struct, as builtins."""
    id: str | int = ""
    """A UUID for ours; echoed in the response."""


class Response(Struct, frozen=True, omit_defaults=True):
    """The answer to a request: either `error` is set, or `result` holds."""

    id: str | int
    """The request's id."""
    result: Any = None
    """The method's result, as builtins."""
    error: ErrorObject | None = None
    """Set when the request failed."""


class _Frame(Struct):
    jsonrpc: str
    id: str | int | None = None
    method: str | UnsetType = UNSET
    params: dict[str, Any] | None = None
    result: Any = UNSET
    error: ErrorObject | UnsetType | None = UNSET


_decoder = msgspec.json.Decoder(_Frame)
_encoder = msgspec.json.Encoder()


def new_id() -> str:
    """A new request id, a random UUID (RFC 9562)."""
    return str(uuid.uuid4())


def parse(text: str | bytes, *, max_bytes: int = MAX_FRAME_BYTES) -> Request | Response:
    """Read one frame.

    Raises `BadFrameError`, with a sentence that quotes nothing of the frame, when it is larger than
    `max_bytes`, is not JSON, or is no JSON-RPC 2.0 request or response.
    """
    if len(text) > max_bytes:
        raise BadFrameError(f"A frame of {len(text)} characters is over the limit of {max_bytes}; it is skipped.")
    try:
        frame = _decoder.decode(text)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise BadFrameError(f"A frame is no JSON-RPC: {type(error).__name__}; it is skipped.") from error
    if frame.jsonrpc != "2.0" or frame.id is None:
        raise BadFrameError("A frame is no JSON-RPC 2.0 with an id; it is skipped.")
    if frame.method is not UNSET:
        return Request(frame.method, frame.params or {}, frame.id)
    if frame.error is not UNSET and frame.error is not None:
        return Response(frame.id, error=frame.error)
    if frame.result is not UNSET:
        return Response(frame.id, frame.result)
    raise BadFrameError("A frame is neither a request nor a response; it is skipped.")


def encode(frame: Request | Response) -> str:
    """Write one frame as text."""
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": frame.id}
    if isinstance(frame, Request):
        body["method"] = frame.method
        body["params"] = frame.params
    elif frame.error is not None:
        body["error"] = frame.error
    else:
        body["result"] = frame.result
    return _encoder.encode(body).decode()


def request(method: str, params: Struct | Mapping[str, Any], *, id: str | None = None) -> Request:  # noqa: A002 - JSON-RPC's word
    """Build a request with a new id, from a struct of this file or a mapping."""
    return Request(method, builtins(params), id or new_id())


def response(id: str | int, result: Struct | Mapping[str, Any]) -> Response:  # noqa: A002 - JSON-RPC's word
    """Build the answer to the request `id`."""
    return Response(id, builtins(result))


def error_response(id: str | int, code: int, message: str) -> Response:  # noqa: A002 - JSON-RPC's word
    """Build the refusal of the request `id`."""
    return Response(id, error=ErrorObject(code, message))


_T = TypeVar("_T")


def decode(value: Any, kind: type[_T]) -> _T:
    """Read params or a result into a struct; raises `BadFrameError` naming the field that is wrong."""
    try:
        return msgspec.convert(value, kind, strict=False)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise BadFrameError(f"{kind.__name__} cannot be read: {error}") from error


def builtins(value: Struct | Mapping[str, Any]) -> dict[str, Any]:
    """The dictionary that a struct or mapping stands for on the wire."""
    result: dict[str, Any] = msgspec.to_builtins(value)
    return result


# -- signalwire.* (protocol.md §3) -------------------------------------------------------------------------


class Version(Struct, frozen=True):
    """The version of the protocol that a client speaks."""

    major: int = 4
    minor: int = 0
    revision: int = 0


class Authentication(Struct, frozen=True, omit_defaults=True):
    """Who is asking."""

    jwt_token: str
    """The SAT; on a resume the stored one, even expired."""
    project: str | UnsetType = UNSET
    """The project id, in signalwire.reauthenticate only; sent even when empty."""


class ConnectParams(Struct, frozen=True, omit_defaults=False):
    """`signalwire.connect`: open a session, or resume one."""

    authentication: Authentication
    version: Version = Version()
    agent: str = ""
    """Name and version of the client."""
    contexts: list[str] = field(default_factory=list)
    eventing: list[str] = field(default_factory=list)
    topics: list[str] = field(default_factory=list)
    event_acks: bool = True
    """The client acknowledges every event."""
    dpop_token: str | UnsetType = UNSET
    """DPoP proof of possession, RPC form (protocol.md §2)."""
    authorization_state: str | UnsetType = UNSET
    """On a resume: the stored state, opaque."""
    protocol: str | UnsetType = UNSET
    """On a resume: the session's channel."""


class Confirmation(Struct, frozen=True):
    """The key that a token is bound to (RFC 7800)."""

    jkt: str
    """RFC 7638 thumbprint."""


class FabricSubscriber(Struct, frozen=True):
    """The subscriber that the session stands for."""

    version: int = 1
    expires_at: float = 0
    """When the token runs out, seconds since 1970."""
    subscriber_id: str = ""
    application_id: str | None = None
    project_id: str = ""
    space_id: str = ""


class Authorization(Struct, frozen=True):
    """What the session may do."""

    jti: str = ""
    project_id: str = ""
    scope: list[str] = field(default_factory=list)
    fabric_subscriber: FabricSubscriber = FabricSubscriber()
    cnf: Confirmation | UnsetType = UNSET
    """Set when the token is bound to a DPoP key."""


class IceServer(Struct, frozen=True, omit_defaults=True):
    """A STUN or TURN server (W3C RTCIceServer)."""

    urls: list[str] | str
    username: str = ""
    credential: str = ""
    credentialType: str = ""  # noqa: N815 - the wire's name


class ConnectResult(Struct, frozen=True):
    """The answer to `signalwire.connect`."""

    identity: str = ""
    protocol: str = ""
    """The session's channel; events that name another are stale."""
    authorization: Authorization = Authorization()
    ice_servers: list[IceServer] = field(default_factory=list)
    """What the peer connections use."""


class Reauthenticate(Struct, frozen=True):
    """`signalwire.reauthenticate`: a new token for a living session."""

    authentication: Authentication
    dpop_token: str | UnsetType = UNSET


class Ping(Struct, frozen=True):
    """`signalwire.ping`, and its answer."""

    timestamp: float = 0
    """Seconds since 1970."""


class AuthorizationState(Struct, frozen=True):
    """Event `signalwire.authorization.state`: what resumes this session later."""

    authorization_state: str
    """Opaque; keep it as a secret."""


class Event(Struct, frozen=True):
    """`signalwire.event`: something that the service tells."""

    event_type: str
    """For example "webrtc.message", "member.joined"."""
    params: dict[str, Any] = field(default_factory=dict)
    """The event's own fields; of webrtc.message, a `VertoMessage`."""
    event_channel: str | list[str] | None = ""
    """Which sessions it is for; must contain the session's `protocol`."""
    timestamp: float | str | None = 0
    """Seconds since 1970."""
    project_id: str | None = ""
    node_id: str | None = ""
    """The node that holds the call."""


# -- Verto inside webrtc.verto (protocol.md §5) ------------------------------------------------------------


class VertoMessage(Struct, frozen=True):
    """A verto.* request, inside webrtc.verto or event webrtc.message."""

    method: str
    """For example "verto.invite"."""
    params: dict[str, Any] = field(default_factory=dict)
    id: str | int = ""
    jsonrpc: str = "2.0"


class WebrtcVerto(Struct, frozen=True, omit_defaults=True):
    """`webrtc.verto`: one Verto message on its way to the call's node."""

    message: VertoMessage
    callID: str = ""  # noqa: N815 - the wire's name
    node_id: str | UnsetType = UNSET
    """The node that holds the call; "" on a fresh invite."""
    subscribe: list[str] | UnsetType = UNSET
    """The room events wanted."""


class CallCreated(Struct, frozen=True):
    """The innermost result of an invite."""

    message: str = ""
    """"CALL CREATED"."""
    callID: str = ""  # noqa: N815 - the wire's name
    memberID: str = ""  # noqa: N815 - the wire's name


class ModifyResult(Struct, frozen=True, omit_defaults=True):
    """The innermost result of a verto.modify."""

    action: str = ""
    callID: str = ""  # noqa: N815 - the wire's name
    holdState: str = ""  # noqa: N815 - the wire's name
    """"held" or "active"."""
    sdp: str = ""
    """The answer to updateMedia."""


class WebrtcVertoResult(Struct, frozen=True):
    """The answer to `webrtc.verto`: the Verto response, wrapped once more."""

    node_id: str = ""
    code: str = "200"
    result: Any = None
    """{"jsonrpc", "id", "result" | "error"}."""


class DialogParams(Struct, frozen=True):
    """Who calls whom, in every verto message of the client (protocol.md §5)."""

    callID: str  # noqa: N815 - the wire's name
    destination_number: str = ""
    """The address dialled, with its query."""
    caller_id_name: str = ""
    caller_id_number: str = ""
    remote_caller_id_name: str = ""
    remote_caller_id_number: str = ""
    userVariables: dict[str, Any] = field(default_factory=dict)  # noqa: N815 - the wire's name
    """Handed to the far end as they are."""
    attach: bool = False
    reattaching: bool = False
    """True when a known call goes on after its client came back."""
    screenShare: bool = False  # noqa: N815 - the wire's name
    additionalDevice: bool = False  # noqa: N815 - the wire's name
    pingSupported: bool = True  # noqa: N815 - the wire's name
    version: int = INVITE_VERSION


class Invite(Struct, frozen=True):
    """`verto.invite`, client to service."""

    dialogParams: DialogParams  # noqa: N815 - the wire's name
    sdp: str


class Answer(Struct, frozen=True):
    """`verto.answer`, client to service."""

    dialogParams: DialogParams  # noqa: N815 - the wire's name
    sdp: str


class Bye(Struct, frozen=True):
    """`verto.bye`, client to service."""

    dialogParams: DialogParams  # noqa: N815 - the wire's name
    cause: str | UnsetType = UNSET
    causeCode: int | str | UnsetType = UNSET  # noqa: N815 - the wire's name


class Modify(Struct, frozen=True):
    """`verto.modify`: new media, hold, unhold or transfer."""

    dialogParams: DialogParams | dict[str, Any]  # noqa: N815 - the wire's name
    action: str
    """"updateMedia", "hold", "unhold" or "transfer"."""
    sdp: str | UnsetType = UNSET
    """The new offer, with updateMedia."""
    destination: str | UnsetType = UNSET
    """Where the far end goes, with transfer."""
    sessid: str | UnsetType = UNSET


class Info(Struct, frozen=True):
    """`verto.info`: digits, or the application's own words; both ways."""

    dialogParams: dict[str, Any] = field(default_factory=dict)  # noqa: N815 - the wire's name
    """{"callID"}."""
    callID: str = ""  # noqa: N815 - the wire's name
    """In messages from the service."""
    sessid: str | UnsetType = UNSET
    dtmf: str | UnsetType = UNSET
    """Digits pressed."""
    intercom: dict[str, Any] | UnsetType = UNSET
    """What one Intercom tells another; the service passes it on untouched."""

    @property
    def call_id(self) -> str:
        """The call, from whichever place holds it."""
        return self.callID or str(self.dialogParams.get("callID", ""))


class IncomingInvite(Struct, frozen=True):
    """`verto.invite`, service to client."""

    callID: str  # noqa: N815 - the wire's name
    sdp: str
    """The offer, complete."""
    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    display_direction: str = ""
    """"inbound" or "outbound"."""
    userVariables: dict[str, Any] = field(default_factory=dict)  # noqa: N815 - the wire's name
    """What the caller sent along."""


class IncomingAnswer(Struct, frozen=True):
    """`verto.answer` and `verto.media`, service to client."""

    callID: str  # noqa: N815 - the wire's name
    sdp: str = ""
    """Empty in an answer that follows verto.media."""


class IncomingBye(Struct, frozen=True):
    """`verto.bye`, service to client."""

    callID: str  # noqa: N815 - the wire's name
    cause: str = "NORMAL_CLEARING"
    causeCode: int | str = 16  # noqa: N815 - the wire's name


class IncomingMediaParams(Struct, frozen=True):
    """`verto.mediaParams`: new constraints for what we send."""

    callID: str  # noqa: N815 - the wire's name
    mediaParams: dict[str, Any] = field(default_factory=dict)  # noqa: N815 - the wire's name
    """{"audio": {...}, "video": {...}}, W3C MediaTrackConstraints."""


class Attach(Struct, frozen=True):
    """`verto.attach`, service to client: a call of ours lives on after a resume."""

    callID: str  # noqa: N815 - the wire's name
    sdp: str = ""
    caller_id_name: str = ""
    caller_id_number: str = ""
    callee_id_name: str = ""
    callee_id_number: str = ""
    display_direction: str = ""
