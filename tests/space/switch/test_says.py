"""Who may have a door speak, as far as the space decides it, and how the house learns what it said."""

from __future__ import annotations

from typing import Any

import pytest

from intercom.space.switch.exchange import Exchange
from intercom.space.switch.says import ANSWER_LIMIT_S, SAYS_PER_SESSION_LIMIT, WORDS_CHARS
from tests.space.switch.test_views import GateOfKinds
from tests.space.switchboard import SDP, House, Switchboard

PAGE = "intercom-station/0.1 rings/1"


class Ringing:
    """A house with a door that may speak."""

    def __init__(self, *people: str) -> None:
        exchange = Exchange(GateOfKinds(people), House(people), ice_servers=lambda _who, _agent: [], wall=lambda: 0.0)
        self.board = Switchboard(*people, exchange=exchange, agents=dict.fromkeys(people, PAGE))

    def ring(self) -> None:
        self.board.verto("door", "verto.invite", "ring", sdp=SDP, dialog={"destination_number": "/private/house"})

    def id_of(self, who: str) -> str:
        """Return the id under which somebody knows the call that rings them."""
        invites = [message for message in self.board.heard[who] if message["method"] == "verto.invite"]
        return str(invites[-1]["params"]["callID"])

    def say(self, who: str, words: str = "I am coming.", *, call_id: str | None = None) -> dict[str, Any] | None:
        """Ask the door to speak; return the answer if there is one at once."""
        told = {"callID": self.id_of(who) if call_id is None else call_id, "words": words}
        answer = self.board.rpc(who, "intercom.say", told)
        return None if answer is None else answer["result"]

    def asked(self, door: str = "door") -> list[dict[str, Any]]:
        """Return what the door was asked."""
        return [params for event, params in self.board.told[door] if event == "intercom.say"]

    def answer(self, door: str = "door", **answer: Any) -> dict[str, Any]:
        """The door answers what it was asked last."""
        done = self.board.rpc(door, "intercom.say.answer", {"say": self.asked(door)[-1]["say"], **answer})
        assert done is not None
        return done

    def result(self, who: str) -> dict[str, Any]:
        """Return the last answer that somebody got."""
        result: dict[str, Any] = self.board.answers[who][-1]["result"]
        return result

    def rings(self, who: str) -> dict[str, Any]:
        """Return how a page was told last that the ring stands."""
        return [params for event, params in self.board.told[who] if event == "intercom.ring"][-1]


@pytest.fixture
def house() -> Ringing:
    return Ringing("door", "kitchen", "hall", "echo", "door-2")


def test_a_page_that_rings_has_the_door_speak_and_the_space_says_who_asks(house: Ringing) -> None:
    house.ring()
    assert house.say("kitchen") is None
    (asked,) = house.asked()
    assert (asked["callID"], asked["words"]) == ("ring", "I am coming.")
    assert asked["by"] == {"number": "/private/kitchen", "name": "kitchen"}
    assert "result" in house.answer(said="I am coming.")
    assert house.result("kitchen") == {"said": "I am coming."}


def test_a_page_that_answered_the_door_has_it_speak(house: Ringing) -> None:
    house.say("kitchen", call_id=house.board.call("door", "kitchen"))
    assert [asked["callID"] for asked in house.asked()] == ["call"]


def test_a_page_that_called_the_door_has_it_speak(house: Ringing) -> None:
    known_as = house.board.call("hall", "door", "visit")
    house.say("hall", call_id="visit")
    assert [asked["callID"] for asked in house.asked()] == [known_as]


def test_a_page_learns_which_replies_the_door_has(house: Ringing) -> None:
    house.ring()
    house.say("kitchen", "")
    house.answer(replies=[{"name": "wait", "text": "Please wait."}])
    assert house.result("kitchen") == {"replies": [{"name": "wait", "text": "Please wait."}]}


def test_the_whole_house_learns_what_the_door_said_and_for_whom(house: Ringing) -> None:
    house.ring()
    told = {"callID": "ring", "text": "I am coming.", "by": "Anna"}
    answer = house.board.rpc("door", "intercom.said", told)
    assert answer is not None
    assert "result" in answer
    for who in ("kitchen", "hall"):
        ring = house.rings(who)
        assert (ring["state"], ring["reply"], ring["replied_by"]) == ("ringing", "I am coming.", "Anna")


def test_a_reply_does_not_end_the_ring(house: Ringing) -> None:
    house.ring()
    house.board.rpc("door", "intercom.said", {"callID": "ring", "text": "I am coming.", "by": ""})
    assert "verto.bye" not in house.board.methods("kitchen")
    assert house.board.verto("hall", "verto.answer", house.id_of("hall"), sdp=SDP) is not None


def test_nobody_waits_for_a_door_that_does_not_answer(house: Ringing) -> None:
    house.ring()
    house.say("kitchen")
    house.board.wait(ANSWER_LIMIT_S)
    assert house.result("kitchen") == {"refused": "slow"}
    assert "error" in house.answer(said="I am coming.")


def test_a_page_is_told_that_its_door_is_gone(house: Ringing) -> None:
    house.ring()
    house.board.exchange.disconnected("door", house.board.now)
    assert house.say("kitchen") == {"refused": "absent"}


@pytest.mark.parametrize("words", ["x" * (WORDS_CHARS + 1), 7, None, ["I am coming."]])
def test_what_is_no_sentence_goes_no_further(house: Ringing, words: Any) -> None:
    house.ring()
    assert house.say("kitchen", words) == {"refused": "words"}
    assert house.asked() == []


def test_a_page_has_few_requests_under_way(house: Ringing) -> None:
    house.ring()
    assert [house.say("kitchen") for _ in range(SAYS_PER_SESSION_LIMIT)] == [None] * SAYS_PER_SESSION_LIMIT
    assert house.say("kitchen") == {"refused": "full"}
    assert house.say("hall") is None


def test_an_answer_that_is_too_large_is_not_passed_on(house: Ringing) -> None:
    house.ring()
    house.say("kitchen")
    house.answer(said="x" * 5000)
    assert house.result("kitchen") == {"refused": "words"}
