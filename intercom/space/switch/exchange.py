"""The space's switchboard, sans-I/O: frames and the time go in, frames come out (protocol §3 to §5).

A *link* is one open socket, named by whoever opened it. What a session says of its calls goes to `call_control.py`.
`received` never raises, whatever arrives; what is to be sent and which links are to be closed stands in `drain()`.
"""

from __future__ import annotations

import math
import secrets
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from typing import Final

from msgspec import UNSET

from intercom.signalwire.wire.messages import (
    AUTHENTICATION_FAILED,
    INVALID_PARAMS,
    METHOD_NOT_FOUND,
    Authorization,
    AuthorizationState,
    BadFrameError,
    Confirmation,
    ConnectParams,
    ConnectResult,
    Event,
    FabricSubscriber,
    IceServer,
    Ping,
    Reauthenticate,
    Request,
    WebrtcVerto,
    builtins,
    decode,
    new_id,
    parse,
)
from intercom.space.auth.tokens import Grant
from intercom.space.errors import TokenError
from intercom.space.store.records import Subscriber
from intercom.space.switch import replies
from intercom.space.switch.address_book import AddressBook
from intercom.space.switch.call_control import CallControl
from intercom.space.switch.outbox import Close, Outbox, Send
from intercom.space.switch.sessions.all_sessions import AllSessions
from intercom.space.switch.sessions.gate import ConnectRefusedError, Gate, admitted
from intercom.space.switch.sessions.pace import Pace
from intercom.space.switch.sessions.sessions import Session
from intercom.space.switch.sessions.undelivered import KeptBytes

FRAME_LIMIT_BYTES: Final = 128 * 1024
"""Size limit of a frame: a browser's offer with all its candidates has about 15 kB."""
RATE_PER_S: Final = 50.0
"""Limit of frames a second from a link, on average; a busy call needs two or three."""
BURST: Final = 200.0
"""Limit of frames from a link at once."""
EXCESS_LIMIT: Final = 200
"""Limit of frames over the rate, which are skipped; one more closes the link."""
AUTHENTICATION_LIMIT_S: Final = 10.0
"""Time after which a link without a session is closed."""
ATTEMPTS_LIMIT: Final = 3
"""Limit of refused `signalwire.connect` on one link; then it is closed."""
SESSIONS_PER_SUBSCRIBER_LIMIT: Final = 16
"""Limit of sessions of one subscriber: its open pages and devices."""
POLICY_VIOLATION: Final = 1008
"""WebSocket close code for a link that breaks the rules (RFC 6455 §7.4.1)."""


@dataclass(slots=True)
class _Link:
    since: float
    pace: Pace
    excess: int = 0
    refused: int = 0
    closing: bool = False
    inside: bool = False
    session: Session | None = None


class Exchange:
    """All links, sessions and calls of one space.

    :param gate: checks tokens.
    :param addresses: knows who is where.
    :param ice_servers: the ICE servers that a subscriber is given, by its client's agent.
    :param wall: the time of day for events, seconds since 1970; all `now` are monotonic seconds.
    """

    def __init__(
        self,
        gate: Gate,
        addresses: AddressBook,
        *,
        ice_servers: Callable[[Subscriber, str], Sequence[IceServer]],
        wall: Callable[[], float],
    ) -> None:
        self._gate = gate
        self._ice_servers = ice_servers
        self._wall = wall
        self._links: dict[str, _Link] = {}
        self._sessions = AllSessions()
        self._out = Outbox()
        self.node_id = f"{gate.space_id[:8]}@space"
        self.full: Callable[[str], str] = lambda _: ""
        "Returns in a sentence why the resident of this id may not come in; an empty text where there is room."
        self.control = CallControl(addresses, self._sessions.values, wall=wall)
        self.control.put_off = self._out.put_off

    # -- what the shell does ---------------------------------------------------------------------------------

    def connected(self, link: str, now: float, *, inside: bool = False) -> None:
        """Note an opened socket or, `inside`, an endpoint of this process that takes many calls at once."""
        self._links[link] = _Link(now, Pace(RATE_PER_S, BURST, now), inside=inside)

    def disconnected(self, link: str, now: float, *, left: bool = False, closed: bool = False) -> None:
        """Note a socket that broke, or that its client `closed`, as a page that is `left` does; its session waits."""
        self._out.catch_up()
        gone = self._links.pop(link, None)
        if gone is not None and gone.session is not None:
            gone.session.disconnected(link, now, left=left, closed=closed)

    def within_rate(self, link: str, now: float) -> bool:
        """Count a frame, such as a ping, that does not reach the exchange; return whether it is within the rate."""
        state = self._links.get(link)
        return state is not None and not state.closing and state.pace.take(now)

    def received(self, link: str, text: str | bytes, now: float) -> None:
        """Take a frame that arrived."""
        self._out.catch_up()
        state = self._links.get(link)
        if state is None or state.closing or not self._within_rate(link, state, now):
            return
        try:
            frame = parse(text, max_bytes=FRAME_LIMIT_BYTES)
        except BadFrameError as problem:
            self._send(link, replies.unreadable(problem))
            return
        if state.session is not None and state.session.liveness.heard(now) and state.session.online:
            self.control.came_online(state.session, now)
        if not isinstance(frame, Request):
            if state.session is not None:
                state.session.acknowledged(str(frame.id))
            return
        try:
            self._request(link, state, frame, now)
        except BadFrameError as problem:
            self._send(link, replies.refusal(frame.id, INVALID_PARAMS, str(problem)))

    def elapsed(self, now: float) -> None:
        """Carry out everything that is due at `now`; to be called about once a second."""
        self._out.catch_up()
        for link, state in list(self._links.items()):
            if state.session is None and now - state.since >= AUTHENTICATION_LIMIT_S:
                self._close(link, "Authenticate within 10 s.")
        for session in list(self._sessions.values()):
            if session.link is not None and now >= session.allowed_until:
                self._close(session.link, "The token has run out; connect with a new one.")
                session.lost(now)
            if session.link is None:
                calls = self.control.calls
                limit_s = session.patience_s(talks=calls.talks(session), missed=calls.is_missed(session))
                if now - session.lost_at >= limit_s:
                    self._forget(session)
            elif not session.never_busy and session.liveness.elapsed(now):
                session.ask(now, self._wall())
        self.control.elapsed(now)

    def drain(self) -> list[Send | Close]:
        """Return the frames to send and links to close since the last call, in order."""
        self._out.catch_up()
        return self._out.take()

    def drain_first(self) -> list[Send | Close]:
        """Return those that must not wait; there are more in `drain` while `is_behind`, which takes a while."""
        return self._out.take()

    @property
    def is_behind(self) -> bool:
        """Whether `drain` has more to say than `drain_first`: the caller has the answer, the house not yet its news."""
        return self._out.is_behind

    def online(self) -> list[str]:
        """Return the references of the people and doors that can be called now, sorted; applications are left out."""
        return sorted({s.subscriber.reference for s in self._sessions.values() if s.is_there and not s.never_busy})

    def links_of(self, reference: str) -> list[str]:
        """Return the links of a subscriber's sessions."""
        return [s.link for s in self._sessions.values() if s.subscriber.reference == reference and s.link is not None]

    def subscriber_at(self, link: str) -> Subscriber | None:
        """Return the subscriber whose session uses a link; None while the link has no session."""
        state = self._links.get(link)
        return state.session.subscriber if state is not None and state.session is not None else None

    def subscriber_ids(self) -> Set[str]:
        """Return the ids of all subscribers who have a session."""
        return self._sessions.subscriber_ids()

    def kept_bytes(self, reference: str) -> int:
        """Return the bytes kept for a subscriber's sessions until they are delivered."""
        mine = (session for session in self._sessions.values() if session.subscriber.reference == reference)
        return next((session.member_bytes.used for session in mine), 0)

    def expect(self, protocol: str, subscriber: Subscriber, agent: str, now: float) -> Session:
        """Restore a session of an earlier process; its client has a while to resume it."""
        session = self._sessions.get(protocol)
        if session is None:
            grant = Grant(subscriber, jti="", expires_at=0)  # the client's own token takes its place on the resume
            session = self._new_session(protocol, grant, agent, "")
            session.lost(now, restored=True)
        return session

    def expel(self, subscriber_id: str) -> None:
        """End the sessions and calls of a subscriber that was removed."""
        self._out.catch_up()
        for session in self._sessions.of(subscriber_id):
            self._forget(session)
            if session.link is not None:
                self._close(session.link, "This subscriber was removed from the space.")

    # -- requests --------------------------------------------------------------------------------------------

    def _request(self, link: str, state: _Link, request: Request, now: float) -> None:
        session = state.session
        match request.method:
            case "signalwire.connect":
                self._connect(link, state, request, now)
            case "signalwire.ping":
                self._send(link, replies.result(request.id, Ping(self._wall())))
            case _ if session is None:
                self._send(link, replies.refusal(request.id, AUTHENTICATION_FAILED, "Send signalwire.connect first."))
            case "webrtc.verto":
                self.control.verto(session, request, decode(request.params, WebrtcVerto).message, now)
            case "subscriber.online":
                session.online = True
                self._send(link, replies.result(request.id, {}))
                self.control.came_online(session, now)
            case "subscriber.offline":
                session.online = False
                self._send(link, replies.result(request.id, {}))
            case "signalwire.reauthenticate":
                self._reauthenticate(link, session, request, now)
            case _ if self.control.carry_out(session, request, now):
                pass
            case _:
                name = request.method[:60]
                self._send(link, replies.refusal(request.id, METHOD_NOT_FOUND, f"There is no method {name} here."))

    def _connect(self, link: str, state: _Link, request: Request, now: float) -> None:
        if state.session is not None:
            self._send(link, replies.refusal(request.id, INVALID_PARAMS, "This connection has a session already."))
            return
        params = decode(request.params, ConnectParams)
        try:
            grant, session, lasts_s = admitted(self._gate, params, self._sessions, now)
        except ConnectRefusedError as refusal:
            self._refuse(link, state, request, refusal.code, str(refusal))
            return
        resumed = session is not None
        if session is None and (crowded := self._crowded(grant.subscriber)):
            self._send(link, replies.refusal(request.id, replies.SESSIONS_EXCEEDED, crowded))
            return
        if session is None:
            # Its channel is a new one: so its client learns that the calls of the old one are gone.
            session = self._new_session("", grant, params.agent, link)
            session.never_busy = state.inside
            session.acknowledges = params.event_acks
        elif session.link is not None and session.link != link:
            self._close(session.link, "The session goes on at another connection.")
            session.lost(now)
        session.grant = grant
        session.allowed_until = math.inf if state.inside else now + lasts_s
        session.resumed(link, now)
        state.session = session
        self._welcome(session, request, lasts_s)
        if resumed:
            session.flush()
            self.control.resumed(session, now)

    def _crowded(self, subscriber: Subscriber) -> str:
        """Return in a sentence why a subscriber may not begin a session, where it might resume one; empty if it may."""
        if len(self._sessions.of(subscriber.id)) >= SESSIONS_PER_SUBSCRIBER_LIMIT:
            return "This subscriber has too many sessions; close one, or wait for those that were lost."
        return self.full(subscriber.id) if subscriber.kind == "resident" else ""

    def _new_session(self, protocol: str, grant: Grant, agent: str, link: str) -> Session:
        protocol = protocol or f"signalwire_{secrets.token_hex(16)}_{new_id()}"
        siblings = self._sessions.of(grant.subscriber.id)
        session = Session(
            protocol=protocol,
            grant=grant,
            agent=agent[:64],
            transmit=self._send,
            node_id=self.node_id,
            project_id=self._gate.project_id,
            link=link,
            member_bytes=siblings[0].member_bytes if siblings else KeptBytes(),
        )
        self._sessions.add(session)
        return session

    def _forget(self, session: Session) -> None:
        self._sessions.remove(session)
        self.control.gone(session)
        session.ended()

    def _welcome(self, session: Session, request: Request, lasts_s: float) -> None:
        result = ConnectResult(
            identity=session.identity,
            protocol=session.protocol,
            authorization=self._authorization(session.grant),
            ice_servers=list(self._ice_servers(session.subscriber, session.agent)),
        )
        session.send(replies.result(request.id, result))
        state = AuthorizationState(self._gate.resume_state(session.protocol, session.subscriber, lasts_s))
        body = Event(
            event_type="signalwire.authorization.state",
            params=builtins(state),
            event_channel=session.protocol,
            timestamp=self._wall(),
            project_id=session.project_id,
            node_id=session.node_id,
        )
        session.send(replies.event(new_id(), body))  # not kept: each connect brings its own

    def _authorization(self, grant: Grant) -> Authorization:
        return Authorization(
            jti=grant.jti,
            project_id=self._gate.project_id,
            scope=list(grant.scope),
            fabric_subscriber=FabricSubscriber(
                expires_at=grant.expires_at,
                subscriber_id=grant.subscriber.id,
                project_id=self._gate.project_id,
                space_id=self._gate.space_id,
            ),
            cnf=Confirmation(grant.jkt) if grant.jkt else UNSET,
        )

    def _reauthenticate(self, link: str, session: Session, request: Request, now: float) -> None:
        params = decode(request.params, Reauthenticate)
        try:
            grant = self._gate.admit(
                params.authentication.jwt_token,
                params.dpop_token,
                method="signalwire.reauthenticate",
                even_expired=False,
            )
        except TokenError as problem:
            self._send(link, replies.refusal(request.id, AUTHENTICATION_FAILED, str(problem)))
            return
        if grant.subscriber.id != session.subscriber.id:
            message = "The token is another subscriber's."
            self._send(link, replies.refusal(request.id, AUTHENTICATION_FAILED, message))
            return
        session.grant = grant
        session.allowed_until = now + grant.lasts_s
        fresh = {
            "authorization": builtins(self._authorization(grant)),
            # Beyond the protocol: who stays connected for days would else be left with passwords that ran out.
            "ice_servers": [builtins(server) for server in self._ice_servers(session.subscriber, session.agent)],
        }
        self._send(link, replies.result(request.id, fresh))

    # -- links -----------------------------------------------------------------------------------------------

    def _within_rate(self, link: str, state: _Link, now: float) -> bool:
        if state.inside or state.pace.take(now):
            return True
        state.excess += 1
        if state.excess > EXCESS_LIMIT:
            self._close(link, "Too many frames.")
        elif state.excess == 1:
            self._send(link, replies.nameless_refusal(replies.RATE_EXCEEDED, "Too many frames; send fewer."))
        return False

    def _refuse(self, link: str, state: _Link, request: Request, code: int, message: str) -> None:
        self._send(link, replies.refusal(request.id, code, message))
        state.refused += 1
        if state.refused >= ATTEMPTS_LIMIT:
            self._close(link, "Authentication failed too often.")

    def _send(self, link: str, text: str) -> None:
        if link in self._links:
            self._out.add(Send(link, text))

    def _close(self, link: str, reason: str) -> None:
        state = self._links.get(link)
        if state is not None and not state.closing:
            state.closing = True
            self._out.add(Close(link, POLICY_VIOLATION, reason))
