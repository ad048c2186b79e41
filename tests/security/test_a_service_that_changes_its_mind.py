"""The attack: a service gives the door another state to resume with, faster than a card can keep it."""

from __future__ import annotations

import asyncio

from intercom.signalwire.client.resume_store import ResumeStore
from intercom.signalwire.storage import MemoryStorage
from intercom.signalwire.wire.events import Resume

STATES = 500


class SlowStorage(MemoryStorage):
    """A card that keeps something when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.goes = asyncio.Event()
        self.writes = 0

    async def set(self, key: str, value: str) -> None:
        self.writes += 1
        await self.goes.wait()
        await super().set(key, value)


async def test_states_do_not_pile_up_and_the_newest_is_kept() -> None:
    card = SlowStorage()
    store = ResumeStore(card)
    for number in range(STATES):
        store.keep_resume(Resume(f"state {number}", "protocol"))
        await asyncio.sleep(0)
    card.goes.set()
    await store.flush()
    resume, _ = await ResumeStore(card).load()
    assert (card.writes, resume) == (2, Resume(f"state {STATES - 1}", "protocol"))


async def test_what_is_forgotten_while_it_is_kept_is_forgotten() -> None:
    card = SlowStorage()
    store = ResumeStore(card)
    store.keep_resume(Resume("state", "protocol"))
    await asyncio.sleep(0)
    store.keep_resume(None)
    card.goes.set()
    await store.flush()
    assert await ResumeStore(card).load() == (None, [])
