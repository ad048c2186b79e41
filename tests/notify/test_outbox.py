"""The messages of one entry: tried again while they are of use, few in number, one at a time. Time is the test's."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import pytest

from intercom.config import NotifyConfig
from intercom.notify.message import Look, Message, Order, Outcome, no_picture
from intercom.notify.outbox import (
    ARRIVED,
    DROPPED,
    FIRST_PAUSE_S,
    LATE,
    PICTURE_LIMIT_BYTES,
    REFUSED,
    WAITING_LIMIT,
    Attempt,
    Outbox,
)
from tests.virtual_time import VirtualLoop

TAKES_S = 1.0
"""Time that the service takes for a message."""
DOWN = Outcome(arrived=False, why="nothing listens there", again=True)
FORBIDDEN = Outcome(arrived=False, why="it refused us (403)")
TAKEN = Outcome(arrived=True)


class Stage:
    """An outbox whose service does what the test says."""

    def __init__(self, entry: NotifyConfig | None = None) -> None:
        self.loop = VirtualLoop()
        self.orders: list[Order] = []
        "what the service was given"
        self.at: list[float] = []
        "when"
        self.outcome = TAKEN
        self.hangs = False
        self.breaks = False
        self.running = self.most_running = 0
        entry = entry or NotifyConfig(url="ntfy://ntfy.example/door")
        self.outbox = Outbox(
            entry,
            "phone",
            link=lambda: "https://door.example/station/",
            at_once=asyncio.Semaphore(4),
            on_attempt=lambda: None,
            deliver=self._deliver,
            clock=self.loop.time,
        )
        self.work = self.loop.create_task(self.outbox.run())

    async def _deliver(self, scheme: str, order: Callable[[], Awaitable[Order]]) -> Outcome:
        if self.breaks:
            raise RuntimeError("a defect")
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            self.orders.append(await order())
            self.at.append(self.loop.time())
            await asyncio.sleep(3600.0 if self.hangs else TAKES_S)
        finally:
            self.running -= 1
        return self.outcome

    def message(self, event: str, tag: str = "a", *, useful_s: float = 60.0, picture: Look = no_picture) -> Message:
        return Message(event, event, event, tag, self.loop.time() + useful_s, picture)

    def take(self, event: str, tag: str = "a", *, useful_s: float = 60.0, picture: Look = no_picture) -> None:
        self.outbox.take(self.message(event, tag, useful_s=useful_s, picture=picture))
        self.loop.settle()

    @property
    def told(self) -> list[str]:
        return [order.title for order in self.orders]


@pytest.fixture
def stage() -> Iterator[Stage]:
    stage = Stage()
    yield stage
    stage.work.cancel()
    stage.loop.settle()
    stage.loop.close()


def test_a_press_is_told_at_once(stage: Stage) -> None:
    stage.take("ring")
    assert stage.told == ["ring"]
    assert stage.at == [0.0]


def test_what_a_service_that_is_down_did_not_take_arrives_when_it_is_back(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("missed", useful_s=3600.0)
    stage.loop.wait(30.0)
    stage.outcome = TAKEN
    stage.loop.wait(60.0)
    assert stage.outbox.fates == {ARRIVED: 1}
    assert stage.outbox.fault == ""


def test_a_service_that_is_down_is_asked_less_and_less_often(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("missed", useful_s=3600.0)
    stage.loop.wait(100.0)
    pauses = [after - before - TAKES_S for before, after in zip(stage.at, stage.at[1:], strict=False)]
    assert pauses == [FIRST_PAUSE_S * 2**number for number in range(len(pauses))]
    assert len(pauses) == 5


def test_a_service_that_asks_for_a_pause_gets_it(stage: Stage) -> None:
    stage.outcome = Outcome(arrived=False, why="it wants fewer messages (429)", again=True, after_s=50.0)
    stage.take("missed", useful_s=3600.0)
    stage.loop.wait(120.0)
    assert stage.at == [0.0, 50.0 + TAKES_S, 2 * (50.0 + TAKES_S)]


def test_nobody_is_told_of_a_ring_that_is_over(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("ring", useful_s=10.0)
    stage.loop.wait(9.0)
    stage.outcome = TAKEN
    stage.loop.wait(60.0)
    assert stage.outbox.fates == {LATE: 1}
    assert max(stage.at) < 10.0


def test_a_message_that_is_refused_for_good_is_not_sent_again(stage: Stage) -> None:
    stage.outcome = FORBIDDEN
    stage.take("missed", useful_s=3600.0)
    stage.loop.wait(3600.0)
    assert len(stage.orders) == 1
    assert stage.outbox.fates == {REFUSED: 1}
    assert stage.outbox.fault == "it refused us (403)"


def test_a_new_press_does_not_wait_for_the_pause_that_an_older_message_caused(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("missed", "before", useful_s=3600.0)
    stage.loop.wait(60.0)
    stage.outcome = TAKEN
    now = stage.loop.time()
    stage.take("ring", "now")
    stage.loop.settle()
    assert stage.orders[-1].title == "ring"
    assert stage.at[-1] == now


def test_what_became_of_a_press_takes_the_place_of_the_press_that_still_waits(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("ring")
    stage.loop.wait(TAKES_S)
    stage.take("missed", useful_s=3600.0)
    stage.outcome = TAKEN
    stage.loop.wait(60.0)
    assert stage.told == ["ring", "missed"]
    assert stage.orders[0].tag == stage.orders[1].tag


def test_a_press_that_is_being_sent_when_somebody_answers_is_tried_no_more(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("ring")
    stage.outbox.forget("a")
    stage.loop.wait(60.0)
    assert stage.told == ["ring"]
    assert stage.outbox.fates == {LATE: 1}


def test_an_entry_has_one_process_at_a_time(stage: Stage) -> None:
    for number in range(10):
        stage.take("ring", str(number))
    stage.loop.wait(30.0)
    assert stage.most_running == 1
    assert stage.outbox.fates == {ARRIVED: 10}


def test_a_service_that_hangs_is_not_given_more_and_more_to_remember(stage: Stage) -> None:
    stage.hangs = True
    for number in range(100):
        stage.take("missed", str(number), useful_s=1e6)
    assert len(stage.outbox) == WAITING_LIMIT
    assert stage.outbox.fates == {DROPPED: 100 - WAITING_LIMIT}


def test_the_newest_messages_are_kept_when_there_are_too_many(stage: Stage) -> None:
    stage.hangs = True
    for number in range(100):
        stage.take("missed", str(number), useful_s=1e6)
    stage.hangs = False
    stage.loop.wait(4000.0)
    assert [order.tag for order in stage.orders] == ["0", *(str(number) for number in range(85, 100))]


def test_a_test_is_tried_once_and_told_what_became_of_it(stage: Stage) -> None:
    stage.outcome = DOWN
    attempt = stage.loop.run(stage.outbox.test(stage.message("test")))
    stage.loop.wait(60.0)
    assert attempt.outcome == DOWN
    assert attempt.took_s == TAKES_S
    assert stage.told == ["test"]


def test_a_test_goes_before_what_waits_for_a_service_to_come_back(stage: Stage) -> None:
    stage.outcome = DOWN
    stage.take("missed", "before", useful_s=3600.0)
    stage.loop.wait(60.0)
    stage.outcome = TAKEN
    assert stage.loop.run(stage.outbox.test(stage.message("test", "test"))).outcome.arrived


def test_a_test_that_newer_presses_push_out_is_told_so(stage: Stage) -> None:
    stage.hangs = True
    stage.take("missed", "first", useful_s=1e6)
    test: asyncio.Task[Attempt] = stage.loop.create_task(stage.outbox.test(stage.message("test", "test")))
    stage.loop.settle()
    for number in range(WAITING_LIMIT):
        stage.take("missed", str(number), useful_s=1e6)
    assert not test.result().outcome.arrived


def test_a_picture_that_comes_too_late_is_left_out(stage: Stage) -> None:
    async def never() -> bytes | None:
        await asyncio.Event().wait()
        return b""

    stage.take("ring", picture=never)
    stage.loop.wait(10.0)
    assert [order.picture for order in stage.orders] == [b""]


def test_a_picture_that_no_service_would_take_is_left_out(stage: Stage) -> None:
    async def enormous() -> bytes | None:
        return bytes(PICTURE_LIMIT_BYTES + 1)

    stage.take("ring", picture=enormous)
    assert [order.picture for order in stage.orders] == [b""]


async def a_picture() -> bytes | None:
    return b"jpeg"


@pytest.mark.parametrize(("wanted", "sent"), [(True, b"jpeg"), (False, b"")])
def test_a_picture_is_sent_where_the_owner_wants_it(wanted: bool, sent: bytes) -> None:
    stage = Stage(NotifyConfig(url="ntfy://ntfy.example/door", picture=wanted))
    stage.take("ring", picture=a_picture)
    assert [order.picture for order in stage.orders] == [sent]
    stage.work.cancel()
    stage.loop.settle()
    stage.loop.close()


@pytest.mark.parametrize(
    ("setting", "sent"),
    [("", "https://door.example/station/"), ("https://other.example/", "https://other.example/"), ("none", "")],
)
def test_the_link_is_the_owners_or_the_houses_or_none(setting: str, sent: str) -> None:
    stage = Stage(NotifyConfig(url="ntfy://ntfy.example/door", link=setting))
    stage.take("ring")
    assert [order.link for order in stage.orders] == [sent]
    stage.work.cancel()
    stage.loop.settle()
    stage.loop.close()


def test_a_defect_fails_the_work_once_and_what_it_failed_at_is_not_tried_again(stage: Stage) -> None:
    stage.breaks = True
    stage.take("ring")
    with pytest.raises(RuntimeError, match="a defect"):
        stage.loop.run_until_complete(stage.work)
    stage.breaks = False
    stage.work = stage.loop.create_task(stage.outbox.run())
    stage.take("ring", "next")
    assert [order.tag for order in stage.orders] == ["next"]
