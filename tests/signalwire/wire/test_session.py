"""The session without a socket: what it says, what it keeps, and what nothing can make it do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.errors import QueueFullError, RpcTimeoutError, TransportError
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.events import (
    Authenticated,
    ConnectUnanswered,
    FrameRejected,
    RequestAnswered,
    RequestFailed,
    Resume,
    ResumeChanged,
)
from intercom.signalwire.wire.session import MAX_PENDING, RPC_TIMEOUT_S, Session, SessionState
from tests.signalwire.frames import FRAMES_PER_EXAMPLE, events, rubbish, thorough

Frame = dict[str, Any]


class Wire:
    """A session and the other end of its socket."""

    def __init__(self, resume: Resume | None = None) -> None:
        self.session = Session(agent="test", resume=resume)
        self.now = 0.0
        self.sent: list[Frame] = []
        self.happened: list[Any] = []

    def look(self) -> None:
        self.sent += [json.loads(frame) for frame in self.session.frames_to_send()]
        self.happened += self.session.events()

    def open(self) -> None:
        self.session.socket_opened(self.now, "token")
        self.look()

    def hear(self, text: str) -> None:
        self.session.receive(text, self.now)
        self.look()

    def answer_connect(self, protocol: str = "channel") -> None:
        connect = [frame for frame in self.sent if frame.get("method") == "signalwire.connect"][-1]
        self.hear(json.dumps({"jsonrpc": "2.0", "id": connect["id"], "result": {"protocol": protocol}}))

    def ready(self) -> None:
        self.open()
        self.answer_connect()

    def ask(self, method: str, **more: Any) -> str:
        request_id = self.session.request(method, {}, self.now, **more)
        self.look()
        return request_id

    def methods(self) -> list[str]:
        return [frame["method"] for frame in self.sent if "method" in frame]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.happened if isinstance(event, kind)]


def test_requests_wait_for_the_session_and_leave_in_order() -> None:
    wire = Wire()
    wire.ask("a")
    wire.open()
    wire.ask("b")
    assert wire.methods() == ["signalwire.connect"]
    wire.answer_connect()
    wire.ask("c")
    assert wire.methods() == ["signalwire.connect", "a", "b", "c"]


def test_an_idempotent_request_survives_a_lost_socket_under_its_id() -> None:
    wire = Wire()
    wire.ready()
    request_id = wire.ask("bye", idempotent=True, timeout_s=30)
    wire.session.socket_closed(1.0)
    wire.ready()
    assert [frame["id"] for frame in wire.sent if frame.get("method") == "bye"] == [request_id, request_id]


def test_any_other_request_fails_with_its_socket() -> None:
    wire = Wire()
    wire.ready()
    request_id = wire.ask("invite")
    wire.session.socket_closed(1.0)
    wire.look()
    (failed,) = wire.of(RequestFailed)
    assert failed.id == request_id
    assert isinstance(failed.error, TransportError)


def test_time_outs_count_from_the_asking() -> None:
    wire = Wire()
    request_id = wire.ask("a")
    assert wire.session.next_deadline() == RPC_TIMEOUT_S
    wire.session.tick(RPC_TIMEOUT_S)
    wire.ready()
    assert [failed.id for failed in wire.of(RequestFailed)] == [request_id]
    assert isinstance(wire.of(RequestFailed)[0].error, RpcTimeoutError)
    assert "a" not in wire.methods()


def test_an_unanswered_connect_is_told() -> None:
    wire = Wire()
    wire.open()
    wire.session.tick(RPC_TIMEOUT_S)
    wire.look()
    assert wire.happened == [ConnectUnanswered()]
    assert wire.session.state is SessionState.REFUSED


def test_a_connect_result_that_makes_no_sense_is_no_success() -> None:
    wire = Wire()
    wire.open()
    connect = wire.sent[0]
    wire.hear(json.dumps({"jsonrpc": "2.0", "id": connect["id"], "result": {"ice_servers": 5}}))
    assert ConnectUnanswered() in wire.happened


def test_resume_data_needs_the_state_and_the_protocol() -> None:
    wire = Wire()
    wire.ready()
    wire.hear(
        m.encode(m.request("signalwire.event", m.Event("signalwire.authorization.state", {"authorization_state": "s"})))
    )
    assert wire.of(ResumeChanged) == [ResumeChanged(Resume("s", "channel"))]
    wire.session.socket_closed(1.0)
    wire.ready()
    assert [event.resumed for event in wire.of(Authenticated)] == [False, True]


def test_a_cancelled_request_that_waits_is_never_heard_of() -> None:
    wire = Wire()
    request_id = wire.ask("a")
    assert wire.session.cancel(request_id)
    wire.ready()
    assert "a" not in wire.methods()


def test_the_queue_is_bounded() -> None:
    wire = Wire()
    for _ in range(MAX_PENDING):
        wire.ask("a")
    with pytest.raises(QueueFullError):
        wire.ask("one too many")


def test_an_unknown_request_is_refused_politely() -> None:
    wire = Wire()
    wire.ready()
    wire.hear(m.encode(m.request("secret.method", {}, id="x")))
    assert wire.sent[-1]["error"]["code"] == m.METHOD_NOT_FOUND
    assert len(wire.of(FrameRejected)) == 1


steps = st.one_of(
    st.tuples(st.just("hear"), st.one_of(events(), rubbish)),
    st.tuples(st.just("ask"), st.booleans()),
    st.tuples(st.just("time"), st.floats(0, 20)),
    st.tuples(st.just("open"), st.none()),
    st.tuples(st.just("close"), st.none()),
    st.tuples(st.just("answer"), st.sampled_from(["channel", "other"])),
    st.tuples(st.just("refuse"), st.sampled_from([-32002, -32003, -32602, 0])),
    st.tuples(st.just("reply"), st.integers(0, 5)),
    st.tuples(st.just("again"), st.integers(0, 5)),
)


@thorough
@given(st.lists(steps, min_size=FRAMES_PER_EXAMPLE, max_size=FRAMES_PER_EXAMPLE))
def test_whatever_happens_every_request_ends_once_and_nothing_grows(script: list[tuple[str, Any]]) -> None:
    wire = Wire()
    asked: dict[str, bool] = {}
    heard: list[str] = []
    for step, value in script:
        unanswered = [frame for frame in wire.sent if "method" in frame]
        match step:
            case "hear":
                heard.append(value)
                wire.hear(value)
            case "ask":
                asked[wire.ask("test", idempotent=value)] = value
            case "time":
                wire.now += value
                wire.session.tick(wire.now)
            case "open":
                wire.open()
            case "close":
                wire.session.socket_closed(wire.now)
            case "answer" if wire.session.state is SessionState.AUTHENTICATING:
                wire.answer_connect(value)
            case "refuse" if wire.session.state is SessionState.AUTHENTICATING:
                error = {"code": value, "message": "no"}
                wire.hear(json.dumps({"jsonrpc": "2.0", "id": unanswered[-1]["id"], "error": error}))
            case "reply" if unanswered:
                frame = unanswered[-1 - value % len(unanswered)]
                if frame["method"] == "test":
                    wire.hear(json.dumps({"jsonrpc": "2.0", "id": frame["id"], "result": {}}))
            case "again" if heard:
                wire.hear(heard[-1 - value % len(heard)])
        wire.look()
    wire.now += 100.0
    wire.session.tick(wire.now)
    wire.look()
    ends = [event.id for event in wire.happened if isinstance(event, RequestAnswered | RequestFailed)]
    assert sorted(ends) == sorted(asked), "a request was lost, or ended twice"
    assert wire.session.pending == 0
    sent = [frame["id"] for frame in wire.sent if frame.get("method") == "test"]
    assert all(asked[request_id] for request_id in sent if sent.count(request_id) > 1), "sent twice"
    assert all(frame.get("jsonrpc") == "2.0" for frame in wire.sent)
