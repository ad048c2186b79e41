"""Tell people, through the services that the owner has named, what happens at the door; say where that fails."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from intercom.config import Config
from intercom.config.notify import OF_A_PRESS, names_of
from intercom.door.calls.ring_plan import RingPlans
from intercom.door.health.faults import Faults, Part
from intercom.door.notify_story import NotifyStory, new_tag
from intercom.history.journal import Entry
from intercom.languages import catalogue
from intercom.media.sound.night import night_between
from intercom.net import is_loopback
from intercom.notify.message import Look, Message, no_picture
from intercom.notify.outbox import FATES, Attempt, Deliver, Outbox
from intercom.notify.process import deliver, faults_of
from intercom.tasks import TaskSet

PROCESSES = 4
"""Limit of processes that send at once, on behalf of all entries: each takes some 30 MB."""
TEST_S = 60.0
"""Time within which a test message has been tried, whatever else there is to send."""
TESTED_S = 5.0
"""Longest wait for the result of a test before the command asks again."""
PAGE = "/station/"
"""Path of the house's page."""


class Notifications:
    """Sends what each `[[notify]]` wants to be told. Belongs to the event loop; without entries it does nothing."""

    def __init__(
        self,
        config: Config,
        state_dir: Path,
        *,
        faults: Faults,
        look: Callable[[], Awaitable[bytes]],
        deliver: Deliver = deliver,
        judge: Callable[[list[str]], Awaitable[list[str]]] = faults_of,
        now: Callable[[], datetime] = datetime.now,
    ) -> None:
        """`look` takes the picture of who rings, and raises OSError when there is none; `now` is the local time."""
        self._now = now
        self._faults = faults
        self._look = look
        self._judge = judge
        self._urls = [entry.url for entry in config.notify]
        page = partial(page_of_the_house, config, config.credential_path(state_dir, os.environ))
        at_once = asyncio.Semaphore(PROCESSES)
        self.outboxes = tuple(
            Outbox(entry, name, link=page, at_once=at_once, on_attempt=self._show_faults, deliver=deliver)
            for entry, name in zip(config.notify, names_of(config.notify), strict=True)
        )
        "the messages of each entry"
        nights = (night_between(entry.quiet_from, entry.quiet_to) for entry in config.notify)
        self._nights = dict(zip(names_of(config.notify), nights, strict=True))
        "when each entry is told nothing"
        self._words = catalogue(config.language)
        self._of_steps = {name for step in config.call.plan for name in step.notify}
        "entries that are told of a press at the steps that name them alone"
        self._story = NotifyStory(self, self._words, ring_time_s=RingPlans(config.call).longest_s)
        self._tasks = TaskSet()
        self._tests: dict[str, asyncio.Task[Attempt]] = {}
        "the last test of each entry, by its name"

    def take(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        if self.outboxes:
            self._story.take(entry)

    async def run(self) -> None:
        """Send what there is to send, for ever; return at once where there is nobody to tell."""
        if not self.outboxes:
            return
        try:
            async with asyncio.TaskGroup() as entries:
                entries.create_task(self._judge_urls(), name="judge the urls of notify")
                for outbox in self.outboxes:
                    entries.create_task(outbox.run(), name=f"notify {outbox.name}")
        finally:
            self._story.stop()
            self._tasks.cancel()

    async def _judge_urls(self) -> None:
        """Say at the start, and not at the first press, that a URL is wrong or that apprise is not installed."""
        for outbox, fault in zip(self.outboxes, await self._judge(self._urls), strict=True):
            outbox.blame(fault)
        self._show_faults()

    def begin_test(self, name: str) -> list[str]:
        """Send a test message to the entry of this name, or to all if it is empty; return the names of those."""
        tested = [outbox for outbox in self.outboxes if name in ("", outbox.name)]
        picture = self.picture()
        title = self._words.say("notify.test")
        body = self._words.say("notify.test.body", time=f"{datetime.now().astimezone():%H:%M}")
        until = time.monotonic() + TEST_S
        for outbox in tested:
            message = Message("test", title, body, new_tag(), until, picture)
            self._tests[outbox.name] = self._tasks.spawn(outbox.test(message), name=f"test of {outbox.name}")
        return [outbox.name for outbox in tested]

    async def tested(self, name: str) -> dict[str, Any] | None:
        """Return what became of the last test of this entry; None while that is not known, or if there was none."""
        test = self._tests.get(name)
        if test is None:
            return None
        await asyncio.wait([test], timeout=TESTED_S)
        if not test.done():
            return None
        attempt = test.result()
        return {"took_s": round(attempt.took_s, 1), **msgspec.to_builtins(attempt.outcome)}

    def document(self) -> list[dict[str, Any]]:
        """Return what became of the messages of each entry, for the status."""
        return [
            {
                "name": outbox.name,
                "fault": outbox.fault,
                "quiet": self._is_quiet(outbox.name),
                "waiting": len(outbox),
                "last_at": None if outbox.last is None else outbox.last.at.isoformat(timespec="milliseconds"),
                "took_s": None if outbox.last is None else round(outbox.last.took_s, 1),
                **{fate: outbox.fates[fate] for fate in FATES},
            }
            for outbox in self.outboxes
        ]

    # -- what the story tells ------------------------------------------------------------------------

    def tell(self, message: Message, named: Collection[str] = (), *, only: bool = False) -> None:
        """Send this to each entry that wants it; of a press, one that a step names is told once it is `named`."""
        for outbox in self.outboxes:
            if self._is_quiet(outbox.name):
                continue
            waits_for_step = only or (message.event in OF_A_PRESS and outbox.name in self._of_steps)
            if outbox.wants(message.event) and (not waits_for_step or outbox.name in named):
                outbox.take(message)

    def _is_quiet(self, name: str) -> bool:
        """Return whether the entry of this name is told nothing now."""
        night = self._nights[name]
        return night is not None and night.holds(self._now().time())

    def forget(self, tag: str) -> None:
        """Drop what waits with this tag."""
        for outbox in self.outboxes:
            outbox.forget(tag)

    def picture(self) -> Look:
        """Begin to take the picture of who rings, if somebody wants it, and return what waits for it."""
        if not any(outbox.wants_pictures for outbox in self.outboxes):
            return no_picture
        taking = self._tasks.spawn(_or_none(self._look()))
        return lambda: asyncio.shield(taking)

    def _show_faults(self) -> None:
        """Report the entries that do not work as one fault; clear it when all do."""
        failing = [f"{outbox.name}: {outbox.fault}" for outbox in self.outboxes if outbox.fault]
        if failing:
            self._faults.begin(Part.NOTIFY, "; ".join(failing))
        else:
            self._faults.clear(Part.NOTIFY)


async def _or_none(looking: Awaitable[bytes]) -> bytes | None:
    try:
        return await looking
    except OSError:
        return None  # the press itself has logged why


def page_of_the_house(config: Config, credential: Path) -> str:
    """Return the URL of the embedded space's page as a phone reaches it; empty where there is none."""
    space = config.space
    if config.account.credential != "space":
        return ""
    if space.public_url:
        return space.public_url.rstrip("/") + PAGE
    try:
        served: Mapping[str, Any] = json.loads(credential.read_text())
        url = str(served["api_url"])
        host = urlsplit(url).hostname or ""
    except (OSError, ValueError, KeyError, TypeError):
        return ""  # the door itself says that it has no credential
    return "" if not host or is_loopback(host) else url.rstrip("/") + PAGE
