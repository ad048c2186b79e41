"""Who may see through a door's camera, and until when, as far as the space decides it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.auth.tokens import Grant
from intercom.space.store.records import Subscriber
from intercom.space.switch.exchange import Exchange
from intercom.space.switch.views import ANSWER_LIMIT_S, STILL_LIMIT_CHARS, VIEWS_PER_SESSION_LIMIT
from tests.space.switchboard import SDP, House, OpenGate, Switchboard

JPEG = "/9j/4AAQ"


class GateOfKinds(OpenGate):
    """A gate that knows who is a door, and who an application."""

    def admit(self, token: object, proof: object, *, method: str, even_expired: bool) -> Grant:
        grant = super().admit(token, proof, method=method, even_expired=even_expired)
        reference = grant.subscriber.reference
        kind = "door" if reference.startswith("door") else "app" if reference == "echo" else "resident"
        return replace(grant, subscriber=Subscriber(reference, reference, reference, kind))


class Ringing:
    """A house with a door, and the views of its camera."""

    def __init__(self, *people: str) -> None:
        exchange = Exchange(GateOfKinds(people), House(people), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
        self.board = Switchboard(*people, exchange=exchange)
        self.ids: dict[str, str] = {}

    def ring(self, by: str = "door") -> None:
        """The visitor presses."""
        self.board.verto(by, "verto.invite", "ring", sdp=SDP, dialog={"destination_number": "/private/house"})
        for who, heard in self.board.heard.items():
            invites = [message for message in heard if message["method"] == "verto.invite"]
            if invites:
                self.ids[who] = str(invites[-1]["params"]["callID"])

    def ask(self, who: str, **params: Any) -> dict[str, Any] | None:
        """Ask to see the ringing door; return the answer if there is one at once."""
        wanted = params or {"callID": self.ids.get(who, "ring")}
        answer = self.board.rpc(who, "intercom.view", {"sdp": SDP, **wanted})
        return None if answer is None else answer["result"]

    def events(self, who: str, kind: str) -> list[dict[str, Any]]:
        """Return what somebody was told by events of this kind."""
        return [params for event, params in self.board.told[who] if event == kind]

    def view(self, who: str = "kitchen", **params: Any) -> str:
        """Begin a view; return its id."""
        assert self.ask(who, **params) is None
        view = str(self.events("door", "intercom.view")[-1]["view"])
        assert self.board.rpc("door", "intercom.view.answer", {"view": view, "sdp": SDP}) is not None
        assert self.board.answers[who][-1]["result"] == {"view": view, "sdp": SDP}
        return view

    def ended(self) -> list[str]:
        """Return the views of which the door heard that they are over."""
        return [params["view"] for params in self.events("door", "intercom.view.end")]


@pytest.fixture
def house() -> Iterator[Ringing]:
    return Ringing("door", "kitchen", "hall", "echo", "door-2")


def test_a_ringing_page_sees_the_door_that_rings_it(house: Ringing) -> None:
    house.ring()
    house.view()
    asked = house.events("door", "intercom.view")[0]
    assert (asked["callID"], asked["by"]) == ("ring", {"number": "/private/kitchen", "name": "kitchen"})


@pytest.mark.parametrize("who", ["door-2", "echo"])
def test_only_a_resident_s_device_sees_the_door(house: Ringing, who: str) -> None:
    house.ring()
    assert house.ask(who) == {"refused": "not-allowed"}
    assert house.ask(who, address="/private/door") == {"refused": "not-allowed"}
    assert house.events("door", "intercom.view") == []


def test_nobody_sees_the_door_by_the_id_of_somebody_else_s_ring(house: Ringing) -> None:
    house.ring()
    for call_id in (house.ids["kitchen"], "ring", "", 7, None):
        assert house.ask("hall", callID=call_id) == {"refused": "not-ringing"}


def test_a_page_that_calls_another_page_shows_nothing_of_it(house: Ringing) -> None:
    house.ring(by="kitchen")
    assert house.ask("hall") == {"refused": "not-ringing"}


def test_after_the_ring_nobody_begins_to_see(house: Ringing) -> None:
    house.ring()
    house.board.verto("door", "verto.bye", "ring", cause="ORIGINATOR_CANCEL")
    assert house.ask("kitchen") == {"refused": "not-ringing"}


def test_in_the_answered_call_nobody_begins_to_see(house: Ringing) -> None:
    house.ring()
    house.board.verto("kitchen", "verto.answer", house.ids["kitchen"], sdp=SDP)
    assert house.ask("kitchen") == {"refused": "not-ringing"}
    assert house.ask("hall") == {"refused": "not-ringing"}


def test_when_one_page_answers_the_others_see_no_more_and_it_does(house: Ringing) -> None:
    house.ring()
    house.view("kitchen")
    other = house.view("hall")
    house.board.verto("kitchen", "verto.answer", house.ids["kitchen"], sdp=SDP)
    assert house.ended() == [other]


def test_a_page_that_declines_sees_no_more(house: Ringing) -> None:
    house.ring()
    view = house.view("kitchen")
    house.board.verto("kitchen", "verto.bye", house.ids["kitchen"], cause="USER_BUSY")
    assert house.ended() == [view]


def test_when_the_visitor_gives_up_nobody_sees_any_more(house: Ringing) -> None:
    house.ring()
    views = [house.view("kitchen"), house.view("hall")]
    house.board.verto("door", "verto.bye", "ring", cause="ORIGINATOR_CANCEL")
    assert house.ended() == views


def test_a_page_that_looks_no_more_tells_the_door(house: Ringing) -> None:
    house.ring()
    view = house.view("kitchen")
    house.board.rpc("kitchen", "intercom.view.end", {"view": view})
    assert house.ended() == [view]


def test_nobody_ends_the_view_of_somebody_else(house: Ringing) -> None:
    house.ring()
    view = house.view("kitchen")
    answer = house.board.rpc("hall", "intercom.view.end", {"view": view})
    assert answer is not None
    assert "error" in answer
    assert house.ended() == []


def test_the_door_s_refusal_reaches_the_page_with_its_word(house: Ringing) -> None:
    house.ring()
    assert house.ask("kitchen") is None
    view = house.events("door", "intercom.view")[-1]["view"]
    house.board.rpc("door", "intercom.view.answer", {"view": view, "refused": "off"})
    assert house.board.answers["kitchen"][-1]["result"] == {"refused": "off"}


def test_the_door_ends_a_view_and_says_why(house: Ringing) -> None:
    house.ring()
    view = house.view("kitchen")
    house.board.rpc("door", "intercom.view.end", {"view": view, "reason": "off"})
    assert house.events("kitchen", "intercom.view.end") == [{"view": view, "reason": "off"}]


def test_only_the_door_that_was_asked_answers(house: Ringing) -> None:
    house.ring()
    assert house.ask("kitchen") is None
    view = house.events("door", "intercom.view")[-1]["view"]
    answer = house.board.rpc("door-2", "intercom.view.answer", {"view": view, "sdp": SDP})
    assert answer is not None
    assert "error" in answer


def test_a_door_that_does_not_answer_refuses(house: Ringing) -> None:
    house.ring()
    assert house.ask("kitchen") is None
    house.board.wait(ANSWER_LIMIT_S)
    assert house.board.answers["kitchen"][-1]["result"] == {"refused": "slow"}


def test_one_page_has_a_few_views_at_most(house: Ringing) -> None:
    house.ring()
    for _ in range(VIEWS_PER_SESSION_LIMIT):
        house.view("kitchen")
    assert house.ask("kitchen") == {"refused": "full"}


def test_a_resident_asks_to_look_at_a_door_that_does_not_ring(house: Ringing) -> None:
    house.view("kitchen", address="/private/door?channel=video")
    assert house.events("door", "intercom.view")[0]["callID"] == ""


def test_a_page_may_ask_whether_it_may_look(house: Ringing) -> None:
    assert house.ask("kitchen", address="/private/door", sdp="") is None
    view = house.events("door", "intercom.view")[0]["view"]
    house.board.rpc("door", "intercom.view.answer", {"view": view, "refused": "may"})
    assert house.board.answers["kitchen"][-1]["result"] == {"refused": "may"}


@pytest.mark.parametrize("address", ["/private/hall", "/private/house", "/private/nobody", "/public/door", ""])
def test_only_a_door_is_looked_at(house: Ringing, address: str) -> None:
    assert house.ask("kitchen", address=address) == {"refused": "absent"}


def test_a_page_that_is_gone_looks_no_more(house: Ringing) -> None:
    view = house.view("kitchen", address="/private/door")
    house.board.lose("kitchen", left=True)
    house.board.wait(60)
    assert house.ended() == [view]


def test_every_ringing_page_is_shown_the_still(house: Ringing) -> None:
    house.ring()
    house.board.rpc("door", "intercom.still", {"callID": "ring", "jpeg": JPEG, "age_ms": 20})
    for who in ("kitchen", "hall"):
        assert house.events(who, "intercom.still") == [{"callID": house.ids[who], "jpeg": JPEG, "age_ms": 20}]
    assert house.events("echo", "intercom.still") == []


def test_a_page_that_comes_later_is_shown_the_still_with_its_age(house: Ringing) -> None:
    house.board.rpc("hall", "subscriber.offline", {})
    house.ring()
    house.board.rpc("door", "intercom.still", {"callID": "ring", "jpeg": JPEG, "age_ms": 20})
    house.board.wait(5)
    house.board.rpc("hall", "subscriber.online", {})
    assert [still["age_ms"] for still in house.events("hall", "intercom.still")] == [5020]


@pytest.mark.parametrize("who", ["kitchen", "door-2"])
def test_only_the_door_that_rings_shows_a_still(house: Ringing, who: str) -> None:
    house.ring()
    for call_id in ("ring", house.ids.get(who, "ring")):
        answer = house.board.rpc(who, "intercom.still", {"callID": call_id, "jpeg": JPEG, "age_ms": 0})
        assert answer is not None
        assert "error" in answer


@given(jpeg=st.one_of(st.text(), st.none(), st.just("A" * (STILL_LIMIT_CHARS + 1))), age_ms=st.integers())
def test_what_is_no_still_is_refused_and_the_ring_goes_on(jpeg: str | None, age_ms: int) -> None:
    house = Ringing("door", "kitchen")
    house.ring()
    answer = house.board.rpc("door", "intercom.still", {"callID": "ring", "jpeg": jpeg, "age_ms": age_ms})
    assert answer is not None
    shown = house.events("kitchen", "intercom.still")
    assert len(shown) == ("result" in answer)
    assert house.ask("kitchen") is None


@given(params=st.dictionaries(st.sampled_from(["view", "callID", "address", "sdp", "refused", "reason"]), st.text()))
def test_any_parameters_are_answered(params: dict[str, str]) -> None:
    house = Ringing("door", "kitchen")
    house.ring()
    for method in ("intercom.view", "intercom.view.answer", "intercom.view.end", "intercom.still"):
        for who in ("door", "kitchen"):
            answer = house.board.rpc(who, method, params)
            assert answer is not None or method == "intercom.view"


# -- viewers with a token ----------------------------------------------------------------------------------


class Recorder:
    """A viewer with a token, as the exchange knows it."""

    def __init__(self, house: Ringing, *, talks: bool = False, address: str = "/private/door") -> None:
        self.told: list[tuple[str, ...]] = []
        self.views = house.board.exchange.control.views
        self.view = self.views.look(self, address, SDP, name="frigate", talks=talks, now=house.board.now)
        house.board.settle()

    def sees(self, view: str, sdp: str) -> None:
        self.told.append(("sees", view, sdp))

    def refused(self, reason: str) -> None:
        self.told.append(("refused", reason))

    def ended(self, view: str, reason: str) -> None:
        self.told.append(("ended", view, reason))


@pytest.mark.parametrize("talks", [True, False])
def test_a_viewer_with_a_token_looks_at_a_door_that_does_not_ring(house: Ringing, *, talks: bool) -> None:
    recorder = Recorder(house, talks=talks)
    (asked,) = house.events("door", "intercom.view")
    by = {"number": "/viewer/frigate", "name": "frigate"}
    assert asked == {"view": recorder.view, "callID": "", "by": by, "sdp": SDP, "standing": True, "talk": talks}
    house.board.rpc("door", "intercom.view.answer", {"view": recorder.view, "sdp": SDP})
    assert recorder.told == [("sees", recorder.view, SDP)]
    recorder.views.found(recorder.view, ["candidate:1"])
    house.board.settle()
    assert house.events("door", "intercom.view.candidates") == [{"view": recorder.view, "candidates": ["candidate:1"]}]
    recorder.views.leave(recorder.view)
    house.board.settle()
    assert house.ended() == [recorder.view]
    assert len(recorder.told) == 1


@pytest.mark.parametrize("address", ["/private/kitchen", "/private/house", "/private/nobody", "", "/public/echo"])
def test_a_token_shows_doors_and_nobody_else(house: Ringing, address: str) -> None:
    assert Recorder(house, address=address).view == ""


def test_a_door_s_refusal_its_silence_and_its_end_reach_the_viewer(house: Ringing) -> None:
    refused, ended, slow = Recorder(house), Recorder(house), Recorder(house)
    house.board.rpc("door", "intercom.view.answer", {"view": refused.view, "refused": "no-look"})
    house.board.rpc("door", "intercom.view.answer", {"view": ended.view, "sdp": SDP})
    house.board.rpc("door", "intercom.view.end", {"view": ended.view, "reason": "left"})
    house.board.wait(ANSWER_LIMIT_S)
    assert refused.told == [("refused", "no-look")]
    assert ended.told == [("sees", ended.view, SDP), ("ended", ended.view, "left")]
    assert slow.told == [("refused", "slow")]


def test_nobody_in_the_house_ends_or_answers_the_view_of_a_token(house: Ringing) -> None:
    recorder = Recorder(house)
    for who in ("kitchen", "door-2"):
        house.board.rpc(who, "intercom.view.end", {"view": recorder.view})
        house.board.rpc(who, "intercom.view.answer", {"view": recorder.view, "sdp": SDP})
    assert recorder.told == []
    assert house.ended() == []


def test_a_door_that_registers_learns_which_standing_views_there_are(house: Ringing) -> None:
    recorder = Recorder(house)
    house.board.rpc("door", "subscriber.online", {})
    assert house.events("door", "intercom.views")[-1] == {"views": [recorder.view]}
    recorder.views.leave(recorder.view)
    house.board.rpc("door", "subscriber.online", {})
    assert house.events("door", "intercom.views")[-1] == {"views": []}
    house.board.rpc("kitchen", "subscriber.online", {})
    assert house.events("kitchen", "intercom.views") == []
