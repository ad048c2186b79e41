"""Decides which clients the switchboard admits, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec import UNSET

from intercom.signalwire.wire.messages import AUTHENTICATION_FAILED, REQUESTER_VALIDATION_FAILED, ConnectParams
from intercom.space.auth.tokens import Grant
from intercom.space.errors import SpaceError, TokenError
from intercom.space.store.records import Subscriber
from intercom.space.switch.sessions.sessions import Session


class Gate(Protocol):
    """Checks credentials; `TokenAuthority` behind the proof checker is one."""

    space_id: str
    project_id: str

    def admit(self, token: object, proof: object, *, method: str, even_expired: bool) -> Grant:
        """Check a SAT and the DPoP proof that it needs; return its grant; raises `TokenError`."""

    def resume_state(self, protocol: str, subscriber: Subscriber, lasts_s: float) -> str:
        """Return the state that resumes a session, valid for this long even with an expired token."""

    def check_resume_state(self, state: object, protocol: str, subscriber: Subscriber) -> float:
        """Check a resume state; return its remaining lifetime. Raises `TokenError`."""


class ConnectRefusedError(SpaceError, PermissionError):
    """The connect is refused; the error's text goes back to the client."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def admitted(
    gate: Gate, params: ConnectParams, sessions: Mapping[str, Session], now: float
) -> tuple[Grant, Session | None, float]:
    """Return the grant of a connect, the session that it resumes, and its lifetime in seconds.

    A token that has run out resumes a session only for as long as the last good one allowed it: it gives no time of
    its own. Two clients that resume one session in turn are parted: the second begins afresh. Raises
    `ConnectRefusedError`.
    """
    resumes = params.protocol is not UNSET and params.authorization_state is not UNSET
    token, proof = params.authentication.jwt_token, params.dpop_token
    try:
        grant = gate.admit(token, proof, method="signalwire.connect", even_expired=resumes)
    except TokenError as problem:
        raise ConnectRefusedError(AUTHENTICATION_FAILED, str(problem)) from problem
    if not resumes:
        return grant, None, grant.lasts_s
    protocol = str(params.protocol)
    try:
        left_s = gate.check_resume_state(params.authorization_state, protocol, grant.subscriber)
    except TokenError as problem:
        raise ConnectRefusedError(REQUESTER_VALIDATION_FAILED, str(problem)) from problem
    lasts_s = grant.lasts_s or left_s
    if lasts_s <= 0:
        raise ConnectRefusedError(AUTHENTICATION_FAILED, "The token and the session have run out; get a new token.")
    session = sessions.get(protocol)
    if session is not None and not session.may_move(now):
        raise ConnectRefusedError(REQUESTER_VALIDATION_FAILED, "Another client has this session; begin a new one.")
    return grant, session, lasts_s
