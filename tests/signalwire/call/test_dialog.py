"""The Verto call without a service: who ends it, what crosses on the wire, and what nothing can make it do."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.signalwire.call.dialog.dialog import MEDIA_DEADLINE_S, RING_DEADLINE_S, Dialog
from intercom.signalwire.call.dialog.events import (
    CallStatus,
    Ended,
    FarAnswered,
    MessageIgnored,
    RequestConcluded,
    StatusChanged,
)
from intercom.signalwire.call.dialog.leg import CallLeg
from intercom.signalwire.errors import BadFrameError, InvalidStateError, RpcError, RpcTimeoutError, TransportError
from intercom.signalwire.wire import messages as m
from tests.signalwire.frames import FRAMES_PER_EXAMPLE, anything, thorough, verto_messages


def created(**fields: object) -> dict[str, Any]:
    inner = {"message": "CALL CREATED", "callID": "a", "memberID": "m", **fields}
    return {"node_id": "n1", "code": "200", "result": {"result": inner}}


CREATED = created()


class Stage:
    """A dialog and everything that came out of it."""

    def __init__(self, direction: str = "outbound") -> None:
        if direction == "outbound":
            self.dialog = Dialog(CallLeg("a", "outbound", to="/private/house"))
        else:
            invite = m.IncomingInvite("a", "v=0", caller_id_number="/private/house")
            self.dialog = Dialog.from_invite(invite, "n1", 0.0)
        self.now = 0.0
        self.happened: list[Any] = []
        self.requests: list[Any] = []

    def look(self) -> None:
        self.requests += self.dialog.outbox.take_requests()
        self.happened += self.dialog.outbox.take_events()

    def hear(self, method: str, /, **params: Any) -> None:
        self.dialog.receive(m.VertoMessage(method, {"callID": "a", **params}), "n1", self.now)
        self.look()

    def invited(self) -> None:
        key = self.dialog.invite("v=0", self.now)
        self.dialog.concluded(key, CREATED, None)
        self.look()

    def sent(self, method: str) -> list[m.VertoMessage]:
        return [request.params.message for request in self.requests if request.params.message.method == method]

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.happened if isinstance(event, kind)]


def test_both_ends_hang_up_at_once_and_it_ends_once() -> None:
    stage = Stage()
    stage.invited()
    stage.dialog.bye()
    stage.hear("verto.bye", cause="USER_BUSY")
    assert stage.of(Ended) == [Ended("NORMAL_CLEARING", "near")]
    assert len(stage.sent("verto.bye")) == 1


def test_an_answer_that_crosses_our_bye_changes_nothing() -> None:
    stage = Stage()
    stage.invited()
    stage.dialog.bye("ORIGINATOR_CANCEL")
    stage.hear("verto.answer", sdp="v=0")
    assert stage.dialog.status is CallStatus.DISCONNECTING
    assert stage.of(FarAnswered) == []
    assert len(stage.of(MessageIgnored)) == 1


def test_the_far_end_is_named_after_whoever_answers_for_a_house_that_rang() -> None:
    stage = Stage()
    stage.invited()
    stage.hear("verto.answer", sdp="v=0", callee_name="Kitchen")
    assert stage.dialog.leg.answered_by == "Kitchen"
    assert "remote_caller_id_name" not in stage.dialog.leg.dialog_params(), "the reference client does not say it back"


def test_an_invite_without_an_answer_from_the_service_is_taken_back() -> None:
    stage = Stage()
    key = stage.dialog.invite("v=0", 0.0)
    stage.dialog.concluded(key, None, RpcTimeoutError("late"))
    stage.look()
    assert stage.dialog.status is CallStatus.FAILED
    assert stage.sent("verto.bye")[0].params["cause"] == "ORIGINATOR_CANCEL"


@pytest.mark.parametrize("field", ["callID", "memberID"])
@pytest.mark.parametrize("damaged", [None, 7])
def test_a_call_whose_confirmation_cannot_be_read_is_taken_back(field: str, damaged: object) -> None:
    stage = Stage()
    key = stage.dialog.invite("v=0", 0.0)
    stage.dialog.concluded(key, created(**{field: damaged}), None)
    stage.look()
    assert stage.dialog.status is CallStatus.FAILED
    assert len(stage.sent("verto.bye")) == 1
    assert stage.requests[-1].params.node_id == "n1"
    assert isinstance(stage.of(RequestConcluded)[0].error, BadFrameError)


def test_an_invite_that_was_refused_needs_no_bye() -> None:
    stage = Stage()
    key = stage.dialog.invite("v=0", 0.0)
    stage.dialog.bye()
    stage.dialog.concluded(key, None, RpcError(-32000, "USER_BUSY"))
    stage.look()
    assert stage.sent("verto.bye") == []


def test_a_message_about_the_call_proves_that_the_service_has_it() -> None:
    stage = Stage()
    stage.dialog.invite("v=0", 0.0)
    stage.dialog.bye()
    stage.hear("verto.media", sdp="v=0")
    assert len(stage.sent("verto.bye")) == 1


@pytest.mark.parametrize("failure", [RpcTimeoutError("late"), TransportError("The connection was lost.")])
def test_an_answer_of_which_nothing_was_heard_is_taken_back(failure: Exception) -> None:
    """Else the far end talks to nobody: the service may have it, and gives the call back to the next connection."""
    stage = Stage("inbound")
    key = stage.dialog.answer("v=0", 0.0)
    stage.dialog.concluded(key, None, failure)
    stage.look()
    assert stage.dialog.status is CallStatus.FAILED
    assert len(stage.sent("verto.bye")) == 1


def test_an_answer_that_was_refused_or_is_taken_back_already_needs_no_bye() -> None:
    refused, over = Stage("inbound"), Stage("inbound")
    refused.dialog.concluded(refused.dialog.answer("v=0", 0.0), None, RpcError(-32000, "LOSE_RACE"))
    refused.look()
    assert refused.sent("verto.bye") == []
    key = over.dialog.answer("v=0", 0.0)
    over.dialog.bye()
    over.dialog.concluded(key, None, RpcTimeoutError("late"))
    over.look()
    assert len(over.sent("verto.bye")) == 1


def test_an_answer_without_any_description_ends_the_call() -> None:
    stage = Stage()
    stage.invited()
    stage.hear("verto.answer")
    assert stage.dialog.end_cause == "INCOMPATIBLE_DESTINATION"


def test_media_that_never_connects_is_given_up() -> None:
    stage = Stage()
    stage.invited()
    stage.hear("verto.answer", sdp="v=0")
    deadline = stage.dialog.next_deadline()
    assert deadline == MEDIA_DEADLINE_S
    stage.dialog.tick(deadline)
    stage.look()
    assert stage.of(Ended) == [Ended("MEDIA_TIMEOUT", "media")]


@pytest.mark.parametrize("direction", ["inbound", "outbound"])
def test_what_nobody_answers_stops_ringing(direction: str) -> None:
    stage = Stage(direction)
    if direction == "outbound":
        stage.invited()
    assert stage.dialog.next_deadline() == RING_DEADLINE_S
    stage.dialog.tick(RING_DEADLINE_S)
    stage.look()
    assert stage.of(Ended) == [Ended("NO_ANSWER", "near")]
    assert stage.sent("verto.bye")[0].params["cause"] == "NO_ANSWER"


def test_a_call_that_the_service_does_not_know_yet_outlives_a_lost_session() -> None:
    stage = Stage()
    stage.dialog.invite("v=0", 0.0)
    stage.dialog.session_lost()
    assert not stage.dialog.is_over


def test_media_that_comes_back_in_time_keeps_the_call() -> None:
    stage = Stage("inbound")
    stage.dialog.answer("v=0", 0.0)
    for state in ("connected", "disconnected", "connected"):
        stage.dialog.media(state, 1.0)
    stage.look()
    assert [event.status for event in stage.of(StatusChanged)] == ["connecting", "connected", "recovering", "connected"]
    assert stage.dialog.next_deadline() is None


def test_holding_asks_and_remembers_only_what_was_granted() -> None:
    stage = Stage("inbound")
    stage.dialog.answer("v=0", 0.0)
    key = stage.dialog.hold(True)
    stage.dialog.concluded(key, None, RpcError(-1, "no"))
    assert not stage.dialog.held
    key = stage.dialog.hold(True)
    stage.dialog.concluded(key, {"node_id": "n", "code": "200", "result": {"result": {}}}, None)
    assert stage.dialog.held
    stage.look()
    assert [message.params["action"] for message in stage.sent("verto.modify")] == ["hold", "hold"]


def test_what_a_status_forbids_is_said() -> None:
    stage = Stage()
    with pytest.raises(InvalidStateError):
        stage.dialog.digits("1")
    with pytest.raises(InvalidStateError):
        stage.dialog.answer("v=0", 0.0)
    stage.dialog.bye()
    with pytest.raises(InvalidStateError, match="over"):
        stage.dialog.info({})


damaged_results = st.builds(created, callID=anything, memberID=anything)
steps = st.one_of(
    st.tuples(st.just("hear"), verto_messages(st.just("a"))),
    st.tuples(st.just("conclude"), st.one_of(st.just(CREATED), damaged_results, anything)),
    st.tuples(st.just("fail"), st.sampled_from([RpcError(17, "no"), RpcTimeoutError("late")])),
    st.tuples(st.just("media"), st.sampled_from(["connecting", "connected", "disconnected", "failed"])),
    st.tuples(st.just("do"), st.sampled_from(["invite", "answer", "bye", "digits", "info", "hold", "update_media"])),
    st.tuples(st.just("time"), st.floats(0, 10)),
)
ACTIONS: dict[str, Any] = {
    "invite": lambda dialog, now: dialog.invite("v=0", now),
    "answer": lambda dialog, now: dialog.answer("v=0", now),
    "bye": lambda dialog, now: dialog.bye(),
    "digits": lambda dialog, now: dialog.digits("1"),
    "info": lambda dialog, now: dialog.info({}),
    "hold": lambda dialog, now: dialog.hold(True),
    "update_media": lambda dialog, now: dialog.update_media("v=0"),
}


@thorough
@given(
    st.sampled_from(["inbound", "outbound"]),
    st.lists(steps, min_size=FRAMES_PER_EXAMPLE, max_size=FRAMES_PER_EXAMPLE),
)
def test_whatever_comes_a_call_ends_once_and_never_comes_back(direction: str, script: list[tuple[str, Any]]) -> None:
    stage = Stage(direction)
    for step, value in script:
        stage.now += 0.1
        match step:
            case "hear":
                params = value["params"] if isinstance(value["params"], dict) else {}
                stage.hear(value["method"], **params)
            case "conclude" | "fail" if stage.requests:
                request = stage.requests.pop(0)
                result, error = (value, None) if step == "conclude" else (None, value)
                stage.dialog.concluded(request.key, result, error)
            case "media":
                stage.dialog.media(value, stage.now)
            case "do":
                with contextlib.suppress(InvalidStateError):
                    ACTIONS[value](stage.dialog, stage.now)
            case "time":
                stage.now += value
                stage.dialog.tick(stage.now)
        stage.look()
    stage.dialog.bye()
    stage.dialog.media_closed()
    stage.look()
    assert len(stage.of(Ended)) == 1
    assert stage.dialog.status is CallStatus.DESTROYED
    statuses = [event.status for event in stage.of(StatusChanged)]
    over = [status in {"disconnecting", "disconnected", "failed", "destroyed"} for status in statuses]
    assert over == sorted(over), f"a dead call came back: {statuses}"
    assert len(stage.of(FarAnswered)) <= 1
    keys = [event.key for event in stage.of(RequestConcluded)]
    assert len(keys) == len(set(keys))
