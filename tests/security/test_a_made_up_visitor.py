"""A stolen phone, or another door, tells of visitors who never rang, or changes those who did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.space.visitors.front import Front, front

METHOD = "intercom.unheard"


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Front]:
    """A house in which the front door's visitor gave up."""
    async with front(tmp_path / "state") as running:
        await running.give_up(await running.press("press-1"))
        await running.told("given_up")
        yield running


async def test_a_phone_makes_up_no_visitor(home: Front) -> None:
    assert "error" in await home.page.rpc(METHOD, {"ring": "press-2", "ago_s": 1.0})
    assert (await home.list())["total"] == 1


@pytest.mark.parametrize("ring", ["press-1", "door/press-1", "../door/press-1"])
async def test_another_door_changes_no_visitor_of_the_front_door(home: Front, ring: str) -> None:
    home.house.space.store.add_subscriber("back-door", "Back door", kind="door")
    back = await home.house.join("back-door")
    assert "result" in await back.rpc(METHOD, {"ring": ring, "ago_s": 1.0, "how": "opened"})
    await home.told("opened")
    ends = [(one["door"]["name"], one["state"]) for one in (await home.list())["visitors"]]
    assert ends == [("Back door", "opened"), ("Front door", "given_up")]
