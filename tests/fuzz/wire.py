"""What comes over sockets: frames of both ends, control requests, SSH commands, bodies, tokens, addresses."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import msgspec

from intercom.address import Address, is_listed
from intercom.cli.ssh import rules
from intercom.control.errors import ControlError, ForeignSpeechError, GateError
from intercom.control.protocol import Lines, check_hello, parse_answer, parse_request, result
from intercom.control.roles import ROLES
from intercom.control.ssh_gate import admit, shown
from intercom.plain_text import plain
from intercom.signalwire.account.access_token import credential_from, hosts_of
from intercom.signalwire.call.dialog.dialog import Dialog
from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.signalwire.errors import BadFrameError, InvalidCredentialsError
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.events import EventReceived
from intercom.signalwire.wire.session import Session
from intercom.space.auth.pairing import PairingCodes
from intercom.space.auth.tokens import TokenAuthority
from intercom.space.errors import PairingError, TokenError
from intercom.space.http.fabric_api import DeviceTokenRequest, TokenRequest
from intercom.space.http.station_api import PairRequest, TokenOptions
from intercom.space.shown_name import shown_name
from intercom.space.store.store import DATABASE, Store
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.sessions.undelivered import MEMBER_LIMIT_BYTES
from tests.media.sdp_bodies import CHROMIUM_ANSWER, CHROMIUM_OFFER
from tests.space.switchboard import House, OpenGate

Read = Callable[[bytes], None]
PEOPLE = ("door", "kitchen", "hall")
_CALL_ID, _MEMBER_ID, _VIEW, _SAY = (
    re.compile(rf'"{name}":"([\w-]+)"') for name in ("callID", "member_id", "view", "say")
)
"""Where the switchboard names what an input may then speak of."""


def _frame(method: str, params: dict[str, Any], number: int = 1) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": str(number), "method": method, "params": params}).encode()


def _verto(method: str, call_id: str = "c1", **params: Any) -> dict[str, Any]:
    dialog = {"callID": call_id, **params.pop("dialog", {})}
    message = {"jsonrpc": "2.0", "id": "m", "method": method, "params": {"dialogParams": dialog, **params}}
    return {"callID": call_id, "node_id": "n", "message": message}


_DIALS = {
    "destination_number": "/private/house?channel=audio",
    "caller_id_name": "Front door",
    "userVariables": {"intercom": {"role": "door"}},
    "reattaching": False,
}
_MEMBER = {"call_id": "c1", "member_id": "m1"}
_OF_MEMBERS: dict[str, dict[str, Any]] = {
    "mute": {"channels": ["audio", "video"], "targets": [_MEMBER]},
    "unmute": {"channels": ["audio"], "target": _MEMBER},
    "deaf": {},
    "raisehand": {},
    "audioflags.set": {"echo_cancellation": True, "noise_suppression": False},
    "lowbitrate.set": {"lowbitrate": True},
    "microphone.volume.set": {"volume": 10},
    "microphone.sensitivity.set": {"sensitivity": 3},
    "layout.set": {"layout": "grid-responsive", "positions": {"self": "auto"}},
    "lock": {},
    "member.position.set": {"targets": [{"target": _MEMBER, "position": "auto"}]},
    "member.remove": {"targets": [_MEMBER]},
    "end": {},
}
_OF_THE_HOUSE: tuple[tuple[str, dict[str, Any]], ...] = (
    ("view", {"callID": "c1", "sdp": CHROMIUM_OFFER}),
    ("view", {"address": "/private/door", "sdp": ""}),
    ("view.answer", {"view": "v1", "sdp": CHROMIUM_ANSWER}),
    ("view.end", {"view": "v1", "reason": "over"}),
    ("still", {"callID": "c1", "jpeg": "/9j/4AAQ", "age_ms": 120}),
    ("say", {"callID": "c1", "words": "We are coming."}),
    ("say.answer", {"say": "s1", "said": True, "replies": ["Later"]}),
    ("said", {"callID": "c1", "text": "Later", "by": {"number": "/private/hall", "name": "Hall"}}),
    ("alarms", {"alarms": ["tamper", "wrong_codes"]}),
    ("unheard", {"ring": "r1", "ago_s": 5.5, "how": "missed", "button": "Anna"}),
    ("quiet", {"of": "house", "quiet": True, "for_s": 60, "until": "07:00"}),
)
EXCHANGE = (
    _frame("signalwire.connect", {"authentication": {"jwt_token": "door"}, "version": {"major": 4}, "agent": "x/1"}),
    _frame("signalwire.connect", {"authentication": {"jwt_token": "kitchen"}, "protocol": "p", "event_acks": True}),
    _frame("subscriber.online", {}),
    _frame("subscriber.offline", {}),
    _frame("signalwire.ping", {"timestamp": 1.5}),
    _frame("signalwire.reauthenticate", {"authentication": {"project": "p", "jwt_token": "door"}, "dpop_token": "x"}),
    _frame("webrtc.verto", _verto("verto.invite", sdp=CHROMIUM_OFFER, dialog=_DIALS)),
    _frame("webrtc.verto", _verto("verto.invite", sdp="v=0\r\n", dialog={**_DIALS, "reattaching": True})),
    _frame("webrtc.verto", _verto("verto.answer", sdp=CHROMIUM_ANSWER)),
    _frame("webrtc.verto", _verto("verto.bye", cause="USER_BUSY", causeCode=17)),
    _frame("webrtc.verto", _verto("verto.info", dtmf="9", intercom={"door": "open"})),
    _frame("webrtc.verto", _verto("verto.modify", action="updateMedia", sdp=CHROMIUM_OFFER)),
    _frame("webrtc.verto", _verto("verto.modify", action="hold")),
    _frame("webrtc.verto", _verto("verto.modify", action="transfer", destination="/private/hall")),
    _frame("webrtc.verto", _verto("verto.pong")),
    _frame("webrtc.verto", _verto("verto.subscribe")),
    b'{"jsonrpc":"2.0","id":"e","result":{}}',
    *(_frame(f"call.{method}", {"self": _MEMBER, **more}) for method, more in _OF_MEMBERS.items()),
    *(_frame(f"intercom.{method}", params) for method, params in _OF_THE_HOUSE),
)


def exchange() -> Read:
    """A switchboard with three members and a stranger; frames come from each in turn, and time passes."""
    board = Exchange(OpenGate(PEOPLE), House(PEOPLE), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
    links = (*PEOPLE, "stranger")
    count, ids = 0, {"c1": "c1", "m1": "m1", "v1": "v1", "s1": "s1"}
    found = {"c1": _CALL_ID, "m1": _MEMBER_ID, "v1": _VIEW, "s1": _SAY}
    for link in links:
        board.connected(link, 0.0)
    for who in PEOPLE:
        board.received(who, EXCHANGE[0].replace(b'"door"', f'"{who}"'.encode()), 0.0)
        board.received(who, EXCHANGE[2], 0.0)
    board.drain()

    def read(data: bytes) -> None:
        nonlocal count
        count += 1
        now, link = count * 0.05, links[count % len(links)]
        for stands_for, known in ids.items():
            data = data.replace(f'"{stands_for}"'.encode(), f'"{known}"'.encode())
        board.received(link, data, now)
        board.elapsed(now)
        for output in board.drain():
            text = getattr(output, "text", "")
            ids.update({name: last[-1] for name, shape in found.items() if (last := shape.findall(text))})
        assert all(board.kept_bytes(who) <= MEMBER_LIMIT_BYTES for who in PEOPLE)
        assert len(board.control.calls) <= len(PEOPLE) * 16

    return read


def _told(message: dict[str, Any]) -> bytes:
    event = {"event_type": "webrtc.message", "params": message, "event_channel": "protocol", "node_id": "n"}
    return _frame("signalwire.event", event, number=7)


def _says(method: str, **params: Any) -> bytes:
    return _told({"jsonrpc": "2.0", "id": "m", "method": method, "params": {"callID": "c1", **params}})


CLIENT = (
    b'{"jsonrpc":"2.0","id":"1","result":{"identity":"i","protocol":"protocol","authorization":{"jti":"j"},"ice_servers":[{"urls":["turn:a:1"]}]}}',
    _frame("signalwire.ping", {"timestamp": 5}),
    _frame("signalwire.disconnect", {}),
    _frame(
        "signalwire.event", {"event_type": "signalwire.authorization.state", "params": {"authorization_state": "s"}}
    ),
    _says(
        "verto.invite", sdp=CHROMIUM_OFFER, caller_id_name="Anna", caller_id_number="/private/anna", caller_kind="door"
    ),
    _says("verto.answer", sdp=CHROMIUM_ANSWER, callee_kind="resident"),
    _says("verto.media", sdp=CHROMIUM_ANSWER),
    _says("verto.bye", cause="USER_BUSY", causeCode=17),
    _says("verto.info", dtmf="19#", intercom={"door": "open"}),
    _says("verto.modify", action="updateMedia", sdp=CHROMIUM_OFFER),
    _says("verto.ping", serno=5),
    _says("verto.mediaParams", mediaParams={"audio": {"echoCancellation": True}}),
    _says("verto.attach"),
)


def client() -> Read:
    """Our client's session and two dialogs, one that it began and one that it was invited to."""
    count = 0

    def new_id() -> str:
        nonlocal count
        count += 1
        return str(count)

    session = Session(agent="fuzz/1", new_id=new_id)
    session.socket_opened(0.0, "token")
    session.receive(CLIENT[0], 0.0)
    outbound = Dialog(CallLeg("c1", "outbound", to="/private/house"))
    outbound.invite("v=0\r\n", 0.0)
    dialogs = [outbound]
    now = 0.0

    def read(data: bytes) -> None:
        nonlocal now
        now += 0.02
        session.receive(data, now)
        session.tick(now)
        for event in session.events():
            if isinstance(event, EventReceived) and event.event.event_type == "webrtc.message":
                hear(event.event)
        assert len(session.frames_to_send()) < 100

    def hear(event: m.Event) -> None:
        try:
            message = m.decode(event.params, m.VertoMessage)
            if message.method == "verto.invite" and len(dialogs) < 5:
                dialogs.append(Dialog.from_invite(m.decode(message.params, m.IncomingInvite), "n", now))
        except BadFrameError:
            return
        for dialog in dialogs:
            dialog.receive(message, "n", now)
            dialog.tick(now)
            dialog.outbox.take_events()

    return read


CONTROL = (
    b'{"jsonrpc":"2.0","id":1,"method":"status","params":{}}\n',
    b'{"jsonrpc":"2.0","id":"a","method":"call","params":{"address":"/private/anna","by":"anna"}}\n',
    b'{"jsonrpc":"2.0","id":1,"result":{"state":"idle"}}\n',
    b'{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}\n',
    b'{"jsonrpc":"2.0","method":"hello","params":{"protocol":1,"version":"1"}}\n',
)


def control() -> Read:
    """Both ends of the control socket."""
    lines = Lines(65_536)

    def read(data: bytes) -> None:
        nonlocal lines
        try:
            whole = lines.feed(data)
        except ForeignSpeechError:
            lines = Lines(65_536)
            return
        for line in whole:
            try:
                asked = parse_request(line)
                result(asked.id, {"asked": asked.params})
            except ForeignSpeechError as problem:
                str(problem).encode()
            try:
                check_hello(parse_answer(line))
            except ControlError as problem:
                plain(str(problem)).encode()

    return read


SSH = (
    b"status --json", b"calls --count 20", b"log", b"snapshot - --last", b"volume speaker -6", b"dtmf '12#'",
    b"door open", b"camera off", b"call /private/anna", b"wait --at-most 5", b"restart", b'log "--count" 5',
)  # fmt: skip


def ssh_gate() -> Read:
    """The gate of both roles: what it lets through is a command that the table gives to the role."""
    may_say = {role: rules(role) for role in ROLES}

    def read(data: bytes) -> None:
        asked = data.decode("utf-8", "surrogateescape")
        assert shown(asked).isascii() and shown(asked).isprintable()
        for role, terminal in product(ROLES, (False, True)):
            try:
                request = admit(may_say[role], asked, role=role, terminal=terminal)
            except GateError as problem:
                assert str(problem).isprintable()
            else:
                said = [str(value) for value in request.values.values()]
                assert request.command in may_say[role] and all(word.isascii() and word.isprintable() for word in said)

    return read


BODIES = (
    b'{"code":"ABCD2345","name":"Kitchen"}',
    b'{"fingerprint":"x"}',
    b'{"dpop_token":"a.b.c","expire_in":60}',
    b'{"reference":"anna","scope":["sat:refresh"],"expire_at":1,"fingerprint":""}',
)


def bodies() -> Read:
    """The bodies of HTTP requests, and what is made of them: names, references, codes."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    store = Store(Path(folder.name, DATABASE), now=lambda: 0.0)
    codes = PairingCodes(store, now=lambda: 0.0)

    def read(data: bytes, _kept: object = folder) -> None:
        for kind in (PairRequest, TokenOptions, DeviceTokenRequest, TokenRequest):
            try:
                body = msgspec.json.decode(data, type=kind)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            if isinstance(body, PairRequest):
                name = shown_name(body.name, "Station")
                assert name.isprintable() and len(name) <= 64
                store.free_reference(body.name)
                with contextlib.suppress(PairingError):
                    codes.claim(body.code)

    return read


def tokens_of() -> tuple[bytes, ...]:
    """Tokens of another space, whole, and nonsense of their shape."""
    header = b"eyJhbGciOiJFUzI1NiIsInR5cCI6IlNBVCJ9"
    return (
        header + b".eyJzdWIiOiJhIiwiZXhwIjo5OTk5OTk5OTk5LCJhdWQiOiJzcGFjZSJ9.c2ln",
        b"a.b.c",
        header + b"..",
        b"....",
    )


def tokens() -> Read:
    """The space's judgement of tokens, resume states and proofs."""
    folder = tempfile.TemporaryDirectory(prefix="fuzz-")
    store = Store(Path(folder.name, DATABASE), now=lambda: 0.0)
    authority = TokenAuthority(store, now=lambda: 1000.0, lifetime_s=3600)
    anna = store.add_subscriber("anna")

    def read(data: bytes, _kept: object = folder) -> None:
        token = data.decode("utf-8", "surrogateescape")
        judges: tuple[Callable[[], object], ...] = (
            lambda: authority.check(token),
            lambda: authority.check_resume_state(token, "p", anna),
            lambda: authority.proofs.http(token, owner="a", method="POST", path="/x", access_token=token),
            lambda: authority.proofs.rpc(token, owner="a", method="signalwire.connect", jkt="x"),
        )
        for judge in judges:
            try:
                judge()
            except TokenError:
                continue
            raise AssertionError("a token that nobody signed was taken")

    return read


ADDRESSES = (
    b"/private/anna", b"/public/echo?channel=video", b"+15551234567", b"sip:anna@[2001:db8::1]:5060;transport=tcp",
    b"sips:b%41@example.com", b"/private/*", b"*", b"residents",
)  # fmt: skip


def address() -> Read:
    """Addresses of callers: one parsed form, one rendering, and lists that only `*` widens."""
    entries = ("/private/anna", "sip:anna@example.com", "sip:*@example.com", "+1*", "residents")

    def read(data: bytes) -> None:
        text = data.decode("utf-8", "surrogateescape")
        parsed = Address.parse(text)
        assert str(parsed).isprintable() and len(str(parsed)) <= 300
        str(parsed).encode()
        is_listed(parsed, entries)

    return read


CREDENTIALS = (*tokens_of(), b'{"token":"a.b.c","expires_at":5}', b"eyJjaCI6InB1Yy5leGFtcGxlLmNvbSJ9.e30.x")


def credential() -> Read:
    """What a token file, a command or an endpoint gives for a credential."""

    def read(data: bytes) -> None:
        try:
            found = credential_from(data.decode(errors="replace"), "The file")
        except InvalidCredentialsError as problem:
            assert len(str(problem)) < 400
            return
        hosts = hosts_of(found.token)
        assert hosts.relay_url.startswith("wss://") and hosts.api_url.startswith("https://")

    return read
