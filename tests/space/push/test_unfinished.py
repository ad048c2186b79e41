"""A space that goes while it rings: what the phones show is ended when it is back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from intercom.space import Space
from intercom.space.push import waker
from intercom.space.push.unfinished import OLDEST_S, ShownRing, Unfinished
from tests.space.conftest import House
from tests.space.push.phone import Phone
from tests.space.push.test_waker import door_of, press, told

RING = ShownRing("door/press-1", "Front door", 1_800_000_000.0, ["device"])


async def test_a_phone_that_shows_a_ring_is_told_after_the_restart_that_it_is_missed(
    pushing: House,
    phone: Phone,
    tmp_path: Path,
    configure: Callable[..., SpaceConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(waker, "BACK_S", 0.1)
    await press(await door_of(pushing))
    await phone.notice()
    kept = Unfinished(tmp_path / "state" / "pushed.json")
    async with asyncio.timeout(60):
        while not kept.left(time.time()):  # a space that is killed has written it down by itself
            await asyncio.sleep(0.02)
    space = Space(configure(push_servers=(phone.service.authority,)), tmp_path / "state")
    await space.start()
    assert told(await phone.notice(2)) == ("missed", "door/press-1", "Front door", "")
    await space.stop()
    assert kept.left(time.time()) == []


async def test_a_ring_for_which_the_door_comes_back_rings_on(
    pushing: House,
    phone: Phone,
    tmp_path: Path,
    configure: Callable[..., SpaceConfig],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await press(await door_of(pushing))
    await phone.notice()
    await pushing.space.stop()
    left = Unfinished(tmp_path / "state" / "pushed.json").left(time.time())
    assert [ring.id for ring in left] == ["door/press-1"]
    monkeypatch.setattr(waker, "BACK_S", 3600.0)  # however long this door takes
    space = Space(configure(push_servers=(phone.service.authority,)), tmp_path / "state")
    await space.start()
    door = await door_of(House(space, pushing.http))
    await press(door)
    assert (await phone.notice(2))["kind"] == "ring"
    monkeypatch.setattr(waker, "BACK_S", 0.0)
    await space._waker._end(left)
    assert len(phone.service.arrived) == 2
    await door.close()
    await space.stop()


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b"\xff"])
def test_a_broken_file_holds_no_rings(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pushed.json").write_bytes(content)
    assert Unfinished(tmp_path / "pushed.json").left(RING.began_at) == []


def test_a_ring_of_long_ago_is_left_alone(tmp_path: Path) -> None:
    kept = Unfinished(tmp_path / "pushed.json")
    assert kept.left(RING.began_at) == []
    kept.keep([RING])
    assert kept.left(RING.began_at + 60) == [RING]
    assert kept.left(RING.began_at + OLDEST_S) == []
