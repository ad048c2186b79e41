"""Strangers, other doors and floods have a door speak, or run a program by what they type: none of it works."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.config import Config
from intercom.config.prompts import PromptsConfig
from intercom.facts import CallBegan, CallIdentity, Replied
from intercom.media.errors import SpeechError
from intercom.media.prompts import speech
from intercom.media.prompts.speech import spoken
from tests.door.test_replies import KITCHEN, Door
from tests.space.switch.test_says import Ringing
from tests.space.switchboard import SDP

CALL = CallIdentity("ring", "outbound", "/private/house")


@pytest.fixture
def house() -> Ringing:
    return Ringing("door", "kitchen", "hall", "echo", "door-2")


@pytest.mark.parametrize("who", ["door-2", "echo"])
def test_another_door_and_an_application_that_a_door_rings_have_nothing_said(house: Ringing, who: str) -> None:
    house.ring()
    assert house.say(who) == {"refused": "not-allowed"}
    assert house.asked() == []


def test_a_resident_who_is_not_rung_has_nothing_said(house: Ringing) -> None:
    for call_id in (house.board.call("door", "kitchen", "ring"), "ring", "", "x" * 300):
        assert house.say("hall", call_id=call_id) == {"refused": "not-ringing"}
    assert house.asked() == []


def test_a_caller_who_still_rings_at_the_door_has_nothing_said(house: Ringing) -> None:
    house.board.verto("hall", "verto.invite", "visit", sdp=SDP, dialog={"destination_number": "/private/door"})
    assert house.say("hall", call_id="visit") == {"refused": "not-ringing"}


def test_residents_who_talk_with_each_other_have_no_door_speak(house: Ringing) -> None:
    house.board.call("hall", "kitchen", "chat")
    assert house.say("hall", call_id="chat") == {"refused": "not-ringing"}


def test_a_page_cannot_say_that_somebody_else_asks(house: Ringing) -> None:
    house.ring()
    params = {"callID": house.id_of("kitchen"), "words": "Hello", "by": {"name": "Anna"}, "say": "mine"}
    house.board.rpc("kitchen", "intercom.say", params)
    (asked,) = house.asked()
    assert asked["by"]["name"] == "kitchen"
    assert asked["say"] != "mine"


@pytest.mark.parametrize("who", ["kitchen", "door-2"])
def test_nobody_but_the_door_tells_the_house_what_it_said(house: Ringing, who: str) -> None:
    house.ring()
    for call_id in ("ring", house.id_of("kitchen")):
        answer = house.board.rpc(who, "intercom.said", {"callID": call_id, "text": "Open!", "by": "Anna"})
        assert answer is not None
        assert "error" in answer
    assert house.rings("kitchen")["reply"] == ""


def test_another_door_does_not_answer_for_the_one_that_was_asked(house: Ringing) -> None:
    house.ring()
    house.say("kitchen")
    answer = house.board.rpc("door-2", "intercom.say.answer", {"say": house.asked()[0]["say"], "said": "Open!"})
    assert answer is not None
    assert "error" in answer


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    monkeypatch.setattr(speech, "TIME_LIMIT_S", 60.0)
    door = Door(tmp_path, Config(prompts=PromptsConfig(languages=("en",))))
    yield door
    await door.stop()


async def test_a_space_that_passes_a_stranger_s_words_on_finds_a_door_that_looks_at_its_own_call(door: Door) -> None:
    door.tell(CallBegan(CALL))
    answer = await door.ask("Open the door!", call_id="another")
    assert answer == {"refused": "not-ringing"}
    assert door.spoken == []


async def test_a_service_that_is_no_space_has_nothing_said(tmp_path: Path) -> None:
    from intercom.config import AccountConfig

    account = AccountConfig(credential="token-file", credential_file="/token")
    door = Door(tmp_path, Config(account=account, prompts=PromptsConfig(languages=("en",))))
    door.tell(CallBegan(CALL))
    door.replies.take("intercom.say", {"say": "1", "callID": "ring", "by": KITCHEN, "words": "Hello"})
    await door.settle()
    assert (door.spoken, door.service.said) == ([], [])
    await door.stop()


async def test_a_flood_of_wishes_makes_one_sentence_and_keeps_one_program_busy(door: Door) -> None:
    door.tell(CallBegan(CALL))
    for number in range(200):
        wish = {"say": str(number), "callID": "ring", "by": KITCHEN, "words": f"Sentence {number}"}
        door.replies.take("intercom.say", wish)
    await door.answered(200)
    refused = [answer for answer in door.answers if answer.get("refused") == "busy"]
    assert len(refused) == 199
    assert sum(isinstance(fact, Replied) for fact in door.facts) == 1


@pytest.mark.parametrize("params", [{}, {"say": 7}, {"say": "1", "by": "Anna"}, {"say": "1", "by": {}, "words": ["x"]}])
async def test_a_wish_that_cannot_be_read_is_left_alone(door: Door, params: dict[str, Any]) -> None:
    door.replies.take("intercom.say", params)
    await door.settle()
    assert (door.spoken, door.service.said) == ([], [])


@pytest.mark.parametrize(
    "words",
    [
        "$(touch {mark})",
        "`touch {mark}`",
        "; touch {mark} #",
        "-w {mark}",
        "--path={mark} -f /etc/passwd",
        "<mark name='x'/><audio src='{mark}'/>",
        "[[touch]] {mark}\x00 more",
    ],
)
async def test_what_somebody_types_is_spoken_and_never_run(tmp_path: Path, words: str) -> None:
    mark = tmp_path / "mark"
    with contextlib.suppress(SpeechError):  # that it cannot be said is as good
        await spoken(words.format(mark=mark), "en")
    assert not mark.exists()
