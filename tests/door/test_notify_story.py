"""What people are told of a press, of what becomes of it, and of what breaks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from intercom.door.health.faults import ALARMS, SERVICE, Part
from intercom.door.notify_story import ANOTHER_S, FAULT_SETTLES_S, HEAD_START_S, NotifyStory
from intercom.door.state_table import Fault
from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    DoorOpened,
    Ended,
    Fact,
    FaultBegan,
    FaultCleared,
    MessageLeft,
    Pressed,
    PressedAgain,
    PressWaits,
    RangAgain,
    StepNotifies,
    Unreached,
)
from intercom.history.journal import Journal
from intercom.languages import LANGUAGES, catalogue
from intercom.notify.message import Look, Message, no_picture
from tests.virtual_time import VirtualLoop

NOW = datetime(2026, 11, 28, 18, 42, tzinfo=UTC)
CALL = CallIdentity("1", "outbound", "/private/kitchen", "Kitchen")
INBOUND = CallIdentity("2", "inbound", "/private/kitchen", "Kitchen")
PRESSED = Pressed("/private/house")


class Story:
    """A journal, and who is told what."""

    def __init__(self, language: str = "en") -> None:
        self.loop = VirtualLoop()
        self.told: list[Message] = []
        self.named: list[tuple[list[str], bool]] = []
        "services named by a step to which each message goes, and whether to them only"
        self.forgotten: list[str] = []
        self.pictures = 0
        later: Callable[..., object] = self.loop.call_later
        words = catalogue(language)
        self.story = NotifyStory(self, words, ring_time_s=60.0, later=later)  # type: ignore[arg-type] # the loop's own
        self.journal = Journal(pytest.fail, clock=self.loop.time, now=lambda: NOW + timedelta(seconds=self.loop.time()))
        self.journal.subscribe(self.story.take)

    def tell(self, message: Message, named: Collection[str] = (), *, only: bool = False) -> None:
        self.told.append(message)
        self.named.append((sorted(named), only))

    def forget(self, tag: str) -> None:
        self.forgotten.append(tag)

    def picture(self) -> Look:
        self.pictures += 1
        return no_picture

    def says(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)

    @property
    def events(self) -> list[str]:
        return [message.event for message in self.told]


@pytest.fixture
def story() -> Iterator[Story]:
    story = Story()
    yield story
    story.story.stop()
    story.loop.close()


def test_people_are_told_of_a_press_as_soon_as_its_call_has_begun(story: Story) -> None:
    story.says(PRESSED)
    assert story.events == []
    story.says(CallBegan(CALL))
    assert story.events == ["ring"]
    assert story.pictures == 1


def test_people_are_told_of_a_press_whose_call_does_not_begin(story: Story) -> None:
    story.says(PRESSED)
    story.loop.wait(HEAD_START_S)
    assert story.events == ["ring"]


def test_a_press_is_told_once_however_often_it_is_dialled(story: Story) -> None:
    story.says(PRESSED, CallBegan(CALL), RangAgain("1", CALL))
    story.loop.wait(10.0)
    assert story.events == ["ring"]


def test_whom_the_first_step_names_is_told_with_the_others_and_whom_a_later_one_names_then(story: Story) -> None:
    story.says(PRESSED, StepNotifies(("mail",)), CallBegan(CALL))
    story.loop.wait(20.0)
    story.says(StepNotifies(("phone", "mail")))
    story.says(Ended(CALL, "NO_ANSWER", answered=False))
    assert story.events == ["ring", "ring", "missed"]
    assert story.named == [(["mail"], False), (["phone"], True), (["mail", "phone"], False)]


def test_the_message_of_a_press_says_at_which_button(story: Story) -> None:
    story.says(Pressed("/private/house", button="Office"), CallBegan(CALL))
    assert story.told[0].body == f"Somebody rings at Office since {NOW.astimezone():%H:%M}."


def test_a_press_that_waited_for_the_service_is_told_once(story: Story) -> None:
    story.says(PressWaits("the service does not know us"))
    story.loop.wait(10.0)
    story.says(PRESSED, CallBegan(CALL), Ended(CALL, "NO_ANSWER", answered=False))
    assert story.events == ["ring", "missed"]
    assert len({message.tag for message in story.told}) == 1


def test_a_press_after_one_that_waited_in_vain_is_told_as_well(story: Story) -> None:
    story.says(PressWaits("the service does not know us"))
    story.loop.wait(61.0)
    story.says(PRESSED, CallBegan(CALL))
    assert story.events == ["ring", "ring"]


def test_nobody_is_told_of_a_ring_after_the_time_that_it_lasts(story: Story) -> None:
    story.says(PRESSED, CallBegan(CALL))
    assert story.told[0].useful_until == 60.0


@pytest.mark.parametrize(
    ("end", "what"),
    [
        (Ended(CALL, "NO_ANSWER", answered=False), "Nobody answered"),
        (Ended(CALL, "ORIGINATOR_CANCEL", answered=False), "Nobody answered"),
        (Ended(CALL, "USER_BUSY", answered=False), "It was refused"),
        (Unreached("/private/house", "NORMAL_TEMPORARY_FAILURE"), "Nobody was reached"),
    ],
)
def test_a_press_that_nobody_answered_takes_the_place_of_the_ring(story: Story, end: Fact, what: str) -> None:
    story.says(PRESSED, CallBegan(CALL), end)
    ring, missed = story.told
    assert missed.event == "missed"
    assert missed.tag == ring.tag
    assert story.forgotten == [ring.tag]
    assert missed.body.startswith(f"{what} at ")


def test_who_answered_and_who_opened_is_told_in_the_same_place(story: Story) -> None:
    story.says(PRESSED, CallBegan(CALL), Answered(CALL), DoorOpened("/private/kitchen"))
    story.says(Ended(CALL, "NORMAL_CLEARING", answered=True))
    ring, answered, opened = story.told
    assert answered.body.startswith("Kitchen answered at ")
    assert opened.body.startswith("/private/kitchen opened it at ")
    assert ring.tag == answered.tag == opened.tag


def test_a_press_that_is_answered_at_once_is_not_told_as_a_ring_afterwards(story: Story) -> None:
    story.says(PRESSED, Answered(CALL))
    story.loop.wait(10.0)
    assert story.events == ["answered"]


def test_a_call_that_the_house_makes_to_the_door_is_nobodys_news(story: Story) -> None:
    story.says(CallBegan(INBOUND), Answered(INBOUND), Ended(INBOUND, "NORMAL_CLEARING", answered=True))
    story.loop.wait(10.0)
    assert story.told == []


def test_a_door_that_is_opened_without_a_press_is_told_by_itself(story: Story) -> None:
    story.says(DoorOpened("pi"))
    assert story.events == ["opened"]


def test_what_a_caller_calls_itself_is_told_without_control_characters(story: Story) -> None:
    story.says(PRESSED, Answered(CallIdentity("1", "outbound", "/private/a", "A\n\x1b[2J" + "x" * 5000)))
    assert story.told[0].body.isprintable()
    assert len(story.told[0].body) < 300


def test_a_fault_is_told_when_it_lasts_and_when_it_is_over(story: Story) -> None:
    story.says(FaultBegan("speaker", "it was unplugged"))
    assert story.events == []
    story.loop.wait(FAULT_SETTLES_S)
    story.says(FaultCleared("speaker", 100.0))
    broke, mended = story.told
    assert broke.warns
    assert "speaker does not work" in broke.body
    assert "it was unplugged" in broke.body
    assert not mended.warns
    assert mended.tag == broke.tag


def test_a_fault_that_is_soon_over_is_nobodys_news(story: Story) -> None:
    story.says(FaultBegan("camera", ""), FaultCleared("camera", 1.0))
    story.loop.wait(2 * FAULT_SETTLES_S)
    assert story.told == []


def test_a_service_that_takes_no_messages_is_not_sent_the_message_that_it_takes_none(story: Story) -> None:
    story.says(FaultBegan(Part.NOTIFY, "phone: nothing listens there"))
    story.loop.wait(2 * FAULT_SETTLES_S)
    story.says(FaultCleared(Part.NOTIFY, 200.0))
    assert story.told == []


@pytest.mark.parametrize("call", [CALL, INBOUND])
def test_somebody_else_who_presses_during_a_call_is_told_with_a_picture_and_once_a_minute(
    story: Story, call: CallIdentity
) -> None:
    again = PressedAgain("they talk already")
    story.says(CallBegan(call), Answered(call))
    story.told.clear()
    story.says(again, again)
    (told,) = story.told
    assert (told.event, told.title) == ("ring", "Somebody else is at the door")
    assert told.picture is not None
    story.loop.wait(ANOTHER_S)
    story.says(again, Ended(call, "NORMAL_CLEARING", True), again)
    assert story.events.count("ring") == 2


def test_a_press_while_the_house_rings_is_no_other_visitor(story: Story) -> None:
    story.says(PRESSED, CallBegan(CALL), PressedAgain("the house rings already"))
    assert story.events == ["ring"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_everything_is_told_in_the_language_of_the_house(language: str) -> None:
    story = Story(language)
    story.says(
        PRESSED, CallBegan(CALL), Answered(CALL), DoorOpened("Kitchen"), Ended(CALL, "NORMAL_CLEARING", answered=True)
    )
    story.says(PRESSED, Unreached("/private/house", "USER_NOT_REGISTERED"), FaultBegan("speaker", "unplugged"))
    story.loop.wait(FAULT_SETTLES_S)
    story.says(FaultCleared("speaker", 100.0))
    sentences = catalogue(language).sentences
    assert [message.title for message in story.told][:4] == [
        sentences[f"notify.{event}"] for event in ("ring", "answered", "opened", "missed")
    ]
    assert all(sentences["part.speaker"] in message.title for message in story.told[4:])
    assert not any("{" in message.title + message.body for message in story.told)
    story.story.stop()
    story.loop.close()


@pytest.mark.parametrize("kind", ALARMS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alarm_is_told_at_once_with_a_picture_and_its_end_takes_its_place(language: str, kind: str) -> None:
    story = Story(language)
    story.says(FaultBegan(kind, "why"))
    assert (story.events, story.pictures) == (["alarm"], 1)
    story.says(FaultCleared(kind, 5.0))
    began, over = story.told
    assert began.warns
    assert (over.event, over.tag, story.forgotten) == ("alarm", began.tag, [began.tag])
    assert began.title in over.title
    assert not any("{" in message.title + message.body for message in story.told)
    story.story.stop()
    story.loop.close()


def test_every_part_that_breaks_has_a_name() -> None:
    kinds = {*map(str, Fault), *map(str, Part), SERVICE}
    assert {key.removeprefix("part.") for key in catalogue("en").sentences if key.startswith("part.")} == kinds


def test_people_are_told_that_the_visitor_left_a_message(story: Story) -> None:
    story.says(PRESSED, CallBegan(CALL), Ended(CALL, "NO_ANSWER", answered=False), MessageLeft("ring-1", 17))
    missed, message = story.told[-2:]
    assert (missed.event, message.event) == ("missed", "message")
    assert "17 s" in message.body
    assert message.tag != missed.tag, "both stay: who rang, and what they said"
