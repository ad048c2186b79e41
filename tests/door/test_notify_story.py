"""What people are told of a press, of what becomes of it, and of what breaks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest

from intercom.door.health.faults import Part
from intercom.door.notify_story import FAULT_SETTLES_S, HEAD_START_S, NotifyStory
from intercom.facts import (
    Answered,
    CallBegan,
    CallIdentity,
    DoorOpened,
    Ended,
    Fact,
    FaultBegan,
    FaultCleared,
    Pressed,
    PressWaits,
    RangAgain,
    Unreached,
)
from intercom.history.journal import Journal
from intercom.notify.message import Look, Message, no_picture
from tests.virtual_time import VirtualLoop

NOW = datetime(2026, 11, 28, 18, 42, tzinfo=UTC)
CALL = CallIdentity("1", "outbound", "/private/kitchen", "Kitchen")
INBOUND = CallIdentity("2", "inbound", "/private/kitchen", "Kitchen")
PRESSED = Pressed("/private/house")


class Story:
    """A journal, and who is told what."""

    def __init__(self) -> None:
        self.loop = VirtualLoop()
        self.told: list[Message] = []
        self.forgotten: list[str] = []
        self.pictures = 0
        later: Callable[..., object] = self.loop.call_later
        self.story = NotifyStory(self, ring_time_s=60.0, later=later)  # type: ignore[arg-type] # the loop's own
        self.journal = Journal(pytest.fail, clock=self.loop.time, now=lambda: NOW + timedelta(seconds=self.loop.time()))
        self.journal.subscribe(self.story.take)

    def tell(self, message: Message) -> None:
        self.told.append(message)

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
