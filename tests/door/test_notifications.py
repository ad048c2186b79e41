"""The services of `[[notify]]` beside a door: who is told what, what is seen of those that fail, where the page is."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from intercom.config import AccountConfig, CallConfig, Config, NotifyConfig, SpaceConfig, StepConfig
from intercom.door.health.faults import Faults, Part
from intercom.door.notifications import Notifications, page_of_the_house
from intercom.facts import Answered, CallBegan, CallIdentity, Ended, Pressed, StepNotifies
from intercom.history.journal import Journal
from intercom.notify.message import Order, Outcome

CALL = CallIdentity("1", "outbound", "/private/house")
PHONE = NotifyConfig(url="ntfy://ntfy.example/door", name="phone")
MAIL = NotifyConfig(url="mailto://door:secret@mail.example", name="mail", events=("missed",))
DOWN = Outcome(arrived=False, why="nothing listens there", again=True)
LIMIT_S = 60.0


class Services:
    """The services: each is told what it is sent, and answers as the test says."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self.outcome = Outcome(arrived=True)
        self.faults = [""]
        self.came = asyncio.Condition()

    async def deliver(self, scheme: str, order: Callable[[], Awaitable[Order]]) -> Outcome:
        async with self.came:
            self.orders.append(await order())
            self.came.notify_all()
        return self.outcome

    async def judge(self, urls: list[str]) -> list[str]:
        return self.faults * len(urls)

    async def have(self, count: int) -> None:
        async with asyncio.timeout(LIMIT_S), self.came:
            await self.came.wait_for(lambda: len(self.orders) >= count)


class Scene:
    """A journal with notifications, and their faults."""

    def __init__(self, folder: Path, *entries: NotifyConfig, plan: tuple[StepConfig, ...] = ()) -> None:
        self.services = Services()
        self.now = datetime(2026, 3, 1, 12)
        self.journal = Journal(pytest.fail)
        self.faults = Faults(self.journal.tell)
        self.notifications = Notifications(
            replace(Config(), notify=entries, call=CallConfig(plan=plan)),
            folder,
            faults=self.faults,
            look=self._look,
            deliver=self.services.deliver,
            judge=self.services.judge,
            now=lambda: self.now,
        )
        self.journal.subscribe(self.notifications.take)

    async def _look(self) -> bytes:
        return b"jpeg"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        work = asyncio.create_task(self.notifications.run())
        await asyncio.sleep(0)
        try:
            yield
        finally:
            work.cancel()
            await asyncio.wait([work])


async def test_each_entry_is_told_what_it_wants(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PHONE, MAIL)
    async with scene.running():
        scene.journal.tell(Pressed("/private/house"))
        scene.journal.tell(CallBegan(CALL))
        await scene.services.have(1)
        scene.journal.tell(Ended(CALL, "NO_ANSWER", answered=False))
        await scene.services.have(3)
    told = sorted((order.url.partition(":")[0], order.title) for order in scene.services.orders)
    assert told == [
        ("mailto", "Somebody was at the door"),
        ("ntfy", "Somebody is at the door"),
        ("ntfy", "Somebody was at the door"),
    ]
    assert scene.services.orders[0].picture == b"jpeg"


async def test_an_entry_is_told_nothing_in_its_quiet_hours_and_the_others_are(tmp_path: Path) -> None:
    scene = Scene(tmp_path, replace(PHONE, quiet_from="22:00", quiet_to="06:30"), replace(PHONE, name="porter"))
    phone, porter = scene.notifications.outboxes
    for hour, quiet in ((21, False), (22, True), (6, True), (7, False)):
        scene.now = datetime(2026, 3, 1, hour)
        before = len(phone), len(porter)
        scene.journal.tell(Pressed("/private/house"))
        scene.journal.tell(CallBegan(CALL))
        scene.journal.tell(Ended(CALL, "NO_ANSWER", answered=False))
        assert (len(phone) > before[0], len(porter) > before[1]) == (not quiet, True), hour
        assert [entry["quiet"] for entry in scene.notifications.document()] == [quiet, False]


async def test_an_entry_that_a_step_names_is_told_of_a_press_only_once_that_step_begins(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PHONE, replace(PHONE, name="aunt"), plan=(StepConfig(notify=("aunt",)),))
    phone, aunt = scene.notifications.outboxes
    for fact in (Pressed("/private/house"), CallBegan(CALL)):
        scene.journal.tell(fact)
    assert (len(phone), len(aunt)) == (1, 0)
    for fact in (Answered(CALL), Ended(CALL, "", answered=True)):
        scene.journal.tell(fact)
    assert len(aunt) == 0
    scene.journal.tell(Pressed("/private/house"))
    scene.journal.tell(CallBegan(CALL))
    scene.journal.tell(StepNotifies(("aunt",)))
    scene.journal.tell(Ended(CALL, "NO_ANSWER", answered=False))
    assert len(aunt) == 1


async def test_a_service_that_does_not_work_is_a_fault_until_it_does(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PHONE, MAIL)
    scene.services.outcome = DOWN
    async with scene.running():
        scene.notifications.begin_test("")
        assert (await scene.notifications.tested("phone") or {})["why"] == "nothing listens there"
        assert (await scene.notifications.tested("mail") or {})["arrived"] is False
        assert "phone: nothing listens there" in scene.faults.open[Part.NOTIFY].why
        scene.services.outcome = Outcome(arrived=True)
        scene.notifications.begin_test("phone")
        await scene.notifications.tested("phone")
        assert Part.NOTIFY in scene.faults.open
        scene.notifications.begin_test("mail")
        await scene.notifications.tested("mail")
        assert Part.NOTIFY not in scene.faults.open


async def test_what_is_wrong_with_an_entry_is_a_fault_before_anybody_presses(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PHONE)
    scene.services.faults = ["apprise does not understand its url"]
    async with scene.running():
        async with asyncio.timeout(LIMIT_S):
            while Part.NOTIFY not in scene.faults.open:
                await asyncio.sleep(0)
    assert scene.faults.open[Part.NOTIFY].why == "phone: apprise does not understand its url"


async def test_the_status_says_of_each_entry_what_became_of_its_messages_and_no_secret(tmp_path: Path) -> None:
    scene = Scene(tmp_path, MAIL)
    scene.services.outcome = Outcome(arrived=False, why="it refused us (403)")
    async with scene.running():
        scene.notifications.begin_test("")
        await scene.notifications.tested("mail")
    (shown,) = scene.notifications.document()
    assert (shown["name"], shown["fault"], shown["refused"], shown["arrived"]) == ("mail", "it refused us (403)", 1, 0)
    assert "secret" not in json.dumps(shown)


async def test_a_test_of_an_entry_that_is_not_there_begins_nothing(tmp_path: Path) -> None:
    scene = Scene(tmp_path, PHONE)
    assert scene.notifications.begin_test("tablet") == []
    assert await scene.notifications.tested("tablet") is None


def test_a_door_does_not_load_apprise() -> None:
    code = "import sys, intercom.door.appliance; print('apprise' in sys.modules, 'requests' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT_S * 2)
    assert told.stdout.split() == ["False", "False"]


# -- where the page is -------------------------------------------------------------------------------------


def served_at(folder: Path, url: str) -> Path:
    file = folder / "door.json"
    file.write_text(json.dumps({"api_url": url, "relay_url": "wss://x/", "subscriber": "door", "device_secret": "x"}))
    return file


def test_the_page_is_where_the_space_of_the_house_serves_it(tmp_path: Path) -> None:
    credential = served_at(tmp_path, "https://192.168.1.10:8443")
    assert page_of_the_house(Config(), credential) == "https://192.168.1.10:8443/station/"


@pytest.mark.parametrize("proxy", ["https://door.example.com", "https://example.com/door", "https://example.com/door/"])
def test_the_page_is_at_the_reverse_proxy_where_there_is_one(proxy: str, tmp_path: Path) -> None:
    config = Config(space=SpaceConfig(public_url=proxy))
    credential = served_at(tmp_path, "https://192.168.1.10:8443")
    assert page_of_the_house(config, credential) == f"{proxy.rstrip('/')}/station/"


@pytest.mark.parametrize("url", ["http://localhost:8480", "http://127.0.0.1:8480"])
def test_a_page_that_no_phone_reaches_is_no_link(url: str, tmp_path: Path) -> None:
    assert page_of_the_house(Config(), served_at(tmp_path, url)) == ""


def test_a_door_without_a_credential_has_no_page(tmp_path: Path) -> None:
    assert page_of_the_house(Config(), tmp_path / "absent.json") == ""


def test_a_signalwire_account_has_no_page(tmp_path: Path) -> None:
    config = Config(account=AccountConfig(credential="token-file"))
    assert page_of_the_house(config, served_at(tmp_path, "https://192.168.1.10:8443")) == ""
