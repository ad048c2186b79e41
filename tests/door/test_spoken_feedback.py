"""What the door says to the visitor, and when it is silent."""

from __future__ import annotations

import pytest

from intercom.config.prompts import PROMPTS
from intercom.facts import (
    OPENED,
    Answered,
    CallBegan,
    Ended,
    LockChanged,
    PressedAgain,
    PressWaits,
    Replied,
    StepBegan,
    Unreached,
)
from intercom.panel import Pattern
from tests.door.visitor import CALL, INCOMING, SENTENCE, Scene, made


@pytest.fixture
async def speaking() -> Scene:
    """A registered door that speaks, and a visitor before it."""
    return made(dict.fromkeys(PROMPTS, SENTENCE))


async def test_the_visitor_is_told_after_the_chime_that_it_rings_and_then_hears_it(speaking: Scene) -> None:
    speaking.rings()
    assert (speaking.visitor.said, speaking.visitor.sounding) == ([], [])
    speaking.loop.run_out()
    assert (speaking.visitor.said, speaking.visitor.sounding) == (["rings"], [])
    speaking.loop.run_out()
    speaking.loop.run_out()
    assert (speaking.visitor.said, speaking.visitor.sounding) == (["rings"], ["ringback"])


async def test_an_answer_stops_what_the_door_says_at_once(speaking: Scene) -> None:
    ticket = speaking.rings()
    speaking.loop.run_out()
    sentence = speaking.visitor.played[-1]
    assert (sentence.name, sentence.stopped) == ("rings", False)
    speaking.tell(Answered(CALL))
    speaking.machine.answered(ticket)
    assert sentence.stopped
    speaking.loop.run_out()
    assert (speaking.visitor.said, speaking.visitor.sounding) == (["rings"], [])


async def test_an_answer_during_the_chime_leaves_nothing_to_be_said(speaking: Scene) -> None:
    ticket = speaking.rings()
    speaking.tell(Answered(CALL))
    speaking.machine.answered(ticket)
    speaking.loop.run_out()
    assert speaking.visitor.said == []


async def test_a_call_of_the_house_to_the_door_is_not_announced_as_a_ringing_house(speaking: Scene) -> None:
    speaking.machine.incoming()
    speaking.tell(CallBegan(INCOMING))
    speaking.loop.run_out()
    speaking.tell(Ended(INCOMING, "ORIGINATOR_CANCEL", answered=False))
    speaking.loop.run_out()
    assert speaking.visitor.said == []


async def test_the_visitor_is_told_and_shown_that_the_press_goes_on_to_the_next(speaking: Scene) -> None:
    speaking.rings()
    speaking.loop.run_out()
    speaking.tell(StepBegan(2, 2, "neighbour"))
    assert speaking.feedback.pattern is Pattern.GOES_ON
    speaking.loop.run_out()
    assert speaking.visitor.said == ["rings", "goes_on"]


async def test_the_first_step_of_a_plan_is_no_news(speaking: Scene) -> None:
    speaking.rings()
    speaking.tell(StepBegan(1, 2, ""))
    speaking.loop.run_out()
    speaking.loop.run_out()
    assert speaking.visitor.said == ["rings"]


@pytest.mark.parametrize("cause", ["NO_ANSWER", "CALL_REJECTED", "USER_NOT_REGISTERED"])
async def test_the_visitor_is_told_after_the_tone_that_nobody_answers(speaking: Scene, cause: str) -> None:
    ticket = speaking.rings()
    speaking.loop.run_out()
    speaking.ends(ticket, cause)
    speaking.feedback.failed(cause)
    assert speaking.visitor.played[-1].name in ("reorder", "busy", "error")
    assert "nobody_answers" not in speaking.visitor.said
    speaking.loop.run_out()
    assert speaking.visitor.said == ["rings", "nobody_answers"]


async def test_a_press_that_reached_no_service_ends_with_the_same_words(speaking: Scene) -> None:
    speaking.tell(PressWaits("the house cannot be reached yet"), Unreached("/private/house", "NO_ANSWER"))
    speaking.loop.run_out()
    assert speaking.visitor.said == ["nobody_answers"]


@pytest.mark.parametrize("cause", ["ORIGINATOR_CANCEL", OPENED])
async def test_who_gives_up_or_is_let_in_is_not_told_that_nobody_answers(speaking: Scene, cause: str) -> None:
    speaking.ends(speaking.rings(), cause)
    speaking.loop.run_out()
    assert speaking.visitor.said == []


async def test_a_press_that_waits_is_asked_to_wait(speaking: Scene) -> None:
    speaking.feedback.pressed()
    speaking.tell(PressWaits("the house cannot be reached yet"))
    speaking.loop.run_out()
    assert speaking.visitor.said == ["please_wait"]


async def test_who_presses_again_while_it_rings_is_asked_to_wait_once(speaking: Scene) -> None:
    speaking.rings()
    speaking.loop.run_out()
    for _ in range(3):
        speaking.feedback.pressed()
        speaking.tell(PressedAgain("the house rings already"))
    speaking.loop.run_out()
    speaking.loop.run_out()
    assert speaking.visitor.said == ["rings", "please_wait"]


async def test_a_press_in_a_call_puts_no_sentence_into_the_talk(speaking: Scene) -> None:
    ticket = speaking.rings()
    speaking.tell(Answered(CALL))
    speaking.machine.answered(ticket)
    speaking.feedback.pressed()
    speaking.tell(PressedAgain("they talk already"))
    speaking.loop.run_out()
    assert speaking.visitor.said == []


async def test_an_opened_door_says_so_also_when_that_ends_the_ringing(speaking: Scene) -> None:
    ticket = speaking.rings()
    speaking.loop.run_out()
    speaking.feedback.door_changed(True)
    speaking.tell(LockChanged(True))
    speaking.ends(ticket, OPENED)
    speaking.loop.run_out()
    assert speaking.visitor.said == ["rings", "door_is_open"]
    assert speaking.visitor.shown[-1] is Pattern.DOOR_OPEN


async def test_a_door_that_closes_says_nothing(speaking: Scene) -> None:
    speaking.tell(LockChanged(False))
    speaking.loop.run_out()
    assert speaking.visitor.said == []


async def test_whom_the_house_has_replied_to_is_not_told_that_nobody_answers(speaking: Scene) -> None:
    ticket = speaking.rings()
    speaking.tell(Replied("I am coming.", "Anna"))
    assert speaking.feedback.pattern is Pattern.PRESSED
    speaking.loop.run_out()
    speaking.ends(ticket, "NO_ANSWER")
    speaking.feedback.failed("NO_ANSWER")
    speaking.loop.run_out()
    assert "nobody_answers" not in speaking.visitor.said
    assert Pattern.ERROR not in speaking.visitor.shown


async def test_the_light_tells_who_does_not_hear_that_the_house_replies(speaking: Scene) -> None:
    speaking.rings()
    speaking.loop.run_out()
    speaking.tell(Replied("I am coming.", "Anna"))
    assert speaking.visitor.shown[-1] is Pattern.REPLY


async def test_a_reply_to_one_press_is_none_to_the_next(speaking: Scene) -> None:
    speaking.tell(Replied("Please come back later.", "Anna"))
    ticket = speaking.rings()
    speaking.ends(ticket, "NO_ANSWER")
    speaking.loop.run_out()
    assert speaking.visitor.said == ["nobody_answers"]


async def test_closing_stops_what_the_door_says(speaking: Scene) -> None:
    speaking.rings()
    speaking.loop.run_out()
    speaking.feedback.close()
    assert speaking.visitor.played[-1].stopped
