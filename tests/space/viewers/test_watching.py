"""How often a viewer with a token may ask a door for a view."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.space.errors import ViewRefusedError
from intercom.space.store.store import DATABASE, Store
from intercom.space.viewers.watching import OFFERS_AT_ONCE, OFFERS_PER_S, Watching
from tests.space.switchboard import SDP, Switchboard


class Door:
    """A door at a space in memory, and who watches it; time is a number."""

    def __init__(self, store: Store) -> None:
        self.tokens = store.viewers
        self.board = Switchboard("door")
        views = self.board.exchange.control.views
        self.watching = Watching(store.viewers, views, deliver=self.board.settle, now=lambda: self.board.now)
        self.token = store.viewers.add("frigate", talks=False)

    def asked(self, kind: str = "intercom.view") -> int:
        """Return how often the door was told this."""
        return sum(event == kind for event, _ in self.board.told["door"])

    async def refuses(self, token: str) -> str:
        """Ask once more; return the word with which it is refused."""
        watch = self.watching.begin(token, "door", SDP)
        assert watch is not None
        with pytest.raises(ViewRefusedError) as refusal:
            await watch.answer()
        return refusal.value.reason


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    with contextlib.closing(Store(tmp_path / DATABASE, now=lambda: 0.0)) as store:
        yield Door(store)


async def test_a_viewer_that_asks_without_end_is_refused_before_it_reaches_the_door(door: Door) -> None:
    for _ in range(OFFERS_AT_ONCE):
        door.watching.begin(door.token, "door", SDP)
    ended = door.asked("intercom.view.end")
    assert await door.refuses(door.token) == "often"
    assert (door.asked(), door.asked("intercom.view.end")) == (OFFERS_AT_ONCE, ended)
    assert len(door.watching) == 2, "what it watches goes on"


async def test_a_viewer_that_waited_may_ask_again(door: Door) -> None:
    for _ in range(OFFERS_AT_ONCE):
        door.watching.begin(door.token, "door", SDP)
    door.board.now += 1 / OFFERS_PER_S
    door.watching.begin(door.token, "door", SDP)
    assert door.asked() == OFFERS_AT_ONCE + 1
    assert await door.refuses(door.token) == "often"


async def test_one_viewer_s_asking_takes_nothing_from_another(door: Door) -> None:
    other = door.tokens.add("home-assistant", talks=True)
    for _ in range(OFFERS_AT_ONCE + 1):
        door.watching.begin(door.token, "door", SDP)
    door.watching.begin(other, "door", SDP)
    assert door.asked() == OFFERS_AT_ONCE + 1


async def test_a_token_that_counts_no_more_begins_nothing(door: Door) -> None:
    door.tokens.remove("frigate")
    assert door.watching.begin(door.token, "door", SDP) is None
    assert door.asked() == 0
