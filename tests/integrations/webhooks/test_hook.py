"""The deliveries of one webhook: in order, tried again for a day, few in number."""

from __future__ import annotations

import asyncio

import pytest

from intercom.config import WebhookConfig
from intercom.integrations.webhooks.hook import LONGEST_PAUSE_S, USEFUL_S, WAITING_LIMIT, Hook
from intercom.integrations.webhooks.sending import judged
from intercom.notify.message import Outcome

ARRIVED = Outcome(arrived=True)
AGAIN = Outcome(arrived=False, why="down", again=True)
REFUSED = Outcome(arrived=False, why="no")


class Line:
    """A hook whose attempts have prepared outcomes; time passes in its pauses alone."""

    def __init__(self, *outcomes: Outcome, then: Outcome = ARRIVED) -> None:
        self.now = 0.0
        self.sent: list[str] = []
        self.pauses: list[float] = []
        self.outcomes = list(outcomes)
        self.then = then
        self.done = asyncio.Event()
        self.attempts = 0
        self.hook = Hook(
            WebhookConfig(url="http://localhost/"),
            "one",
            post=self._post,
            on_attempt=lambda: None,
            clock=lambda: self.now,
            wall=lambda: 1_800_000_000.0 + self.now,
            pause=self._pause,
        )

    async def _post(self, body: bytes, headers: dict[str, str]) -> Outcome:
        self.sent.append(headers["webhook-id"])
        return self.outcomes.pop(0) if self.outcomes else self.then

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def take(self, *ids: str) -> None:
        for id_ in ids:
            self.hook.take({"id": id_}, None)

    async def run(self) -> None:
        """Run until nothing waits."""
        running = asyncio.create_task(self.hook.run())
        while len(self.hook):
            await asyncio.sleep(0)
        running.cancel()


async def test_deliveries_arrive_in_the_order_of_the_facts() -> None:
    line = Line()
    line.take("a", "b", "c")
    await line.run()
    assert line.sent == ["a", "b", "c"]
    assert line.hook.fates == {"arrived": 3}


async def test_one_that_did_not_arrive_is_tried_again_with_longer_and_longer_pauses() -> None:
    line = Line(*[AGAIN] * 12)
    line.take("a", "b")
    await line.run()
    assert line.sent == ["a"] * 13 + ["b"]
    assert line.pauses[:4] == [1, 2, 4, 8]
    assert line.pauses[-1] == LONGEST_PAUSE_S
    assert line.hook.retries == 12


async def test_the_receiver_may_ask_for_a_longer_pause() -> None:
    line = Line(Outcome(arrived=False, why="busy", again=True, after_s=600))
    line.take("a")
    await line.run()
    assert line.pauses == [600]


async def test_one_that_the_receiver_refuses_is_not_tried_again() -> None:
    line = Line(REFUSED)
    line.take("a", "b")
    await line.run()
    assert line.sent == ["a", "b"]
    assert line.hook.fates == {"refused": 1, "arrived": 1}


async def test_after_a_day_it_is_of_no_use_any_more() -> None:
    line = Line(then=AGAIN)
    line.take("a")
    await line.run()
    assert line.hook.fates == {"late": 1}
    assert USEFUL_S <= line.now <= USEFUL_S + LONGEST_PAUSE_S


async def test_too_many_drop_the_oldest() -> None:
    line = Line()
    line.take(*(str(number) for number in range(WAITING_LIMIT + 2)))
    assert len(line.hook) == WAITING_LIMIT
    await line.run()
    assert line.sent[0] == "2"
    assert line.hook.fates == {"dropped": 2, "arrived": WAITING_LIMIT}


async def test_its_fault_is_told_until_one_arrives() -> None:
    line = Line(AGAIN)
    line.take("a")
    faults: list[str] = []
    line.hook._on_attempt = lambda: faults.append(line.hook.fault)
    await line.run()
    assert faults == ["down", ""]


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_an_answer_that_will_not_change_ends_the_attempts(status: int) -> None:
    assert (judged(status, "").arrived, judged(status, "").again) == (False, False)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503, 599])
def test_an_answer_that_may_change_is_worth_another_attempt(status: int) -> None:
    assert (judged(status, "").arrived, judged(status, "").again) == (False, True)


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_an_arrival(status: int) -> None:
    assert judged(status, "").arrived


@pytest.mark.parametrize(("said", "after_s"), [("7", 7), ("99999", 3600), ("", 0), ("soon", 0), ("٣", 0)])
def test_a_pause_that_is_asked_for_has_a_limit(said: str, after_s: float) -> None:
    assert judged(503, said).after_s == after_s


async def test_a_picture_that_never_comes_does_not_hold_the_news_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("intercom.integrations.webhooks.hook.PICTURE_S", 0.0)
    line, bodies = Line(), []

    async def post(body: bytes, _: dict[str, str]) -> Outcome:
        bodies.append(body)
        return ARRIVED

    line.hook._post = post
    line.hook.take({"id": "a"}, never)
    await line.run()
    assert bodies == [b'{"id":"a","picture":null}']


async def never() -> bytes | None:
    await asyncio.Event().wait()
    return None
