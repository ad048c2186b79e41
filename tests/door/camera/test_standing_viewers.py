"""Who watches with a token, as the door decides it: for how long, how many, and whether they hear and speak."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from intercom.config import CallConfig
from intercom.door.camera.views import STANDING_LIMIT
from intercom.facts import Answered, CallBegan, Ended, LookedAt, Pressed
from tests.door.camera.test_views import CALL, Door
from tests.media.calls import until
from tests.media.viewers.far_end import FarEnd
from tests.media.viewers.go2rtc import Go2rtc

FRIGATE = {"number": "/viewer/frigate", "name": "frigate"}
SHORT = CallConfig(time_limit_s=2, viewers_talk=True)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door with `camera.look`."""
    door = Door(look=True)
    yield door
    await door.stop()


async def watch(door: Door, view: str, offer: str, **more: Any) -> dict[str, Any]:
    asked = {"view": view, "callID": "", "by": FRIGATE, "sdp": offer, "standing": True, "talk": False, **more}
    door.views.take("intercom.view", asked)
    return await door.answer(view)


async def test_a_viewer_with_a_token_looks_for_as_long_as_it_likes_and_the_log_says_who(door: Door) -> None:
    await door.views.stop()
    door.views = door.make(replace(door.config, call=SHORT))
    async with FarEnd() as page, FarEnd() as recorder:
        await recorder.accept((await watch(door, "recorder", await recorder.offer()))["sdp"])
        assert "sdp" in await door.ask(page, "page", call_id="")
        over = {"view": "page", "reason": "over"}  # a page's look ends with call.time_limit_s
        await until(lambda: over in door.service.of("intercom.view.end"))
        assert len(door.views) == 1
        await recorder.sees(2)
    assert LookedAt("/viewer/frigate", "frigate") in door.facts


async def test_a_door_that_nobody_may_look_at_shows_nothing_to_a_token_either() -> None:
    door = Door()
    async with FarEnd() as recorder:
        assert (await watch(door, "view", await recorder.offer()))["refused"] == "no-look"
    assert not door.camera.is_running
    await door.stop()


async def test_however_many_record_the_pages_have_their_places(door: Door) -> None:
    async with AsyncExitStack() as stack:
        for number in range(STANDING_LIMIT):
            recorder = await stack.enter_async_context(FarEnd())
            assert "sdp" in await watch(door, f"recorder {number}", await recorder.offer())
        one_more = await stack.enter_async_context(FarEnd())
        assert (await watch(door, "one more", await one_more.offer()))["refused"] == "full"
        door.tell(Pressed("/private/house"), CallBegan(CALL))
        page = await stack.enter_async_context(FarEnd())
        assert "sdp" in await door.ask(page, "page"), "whom the door rings sees who it is"
        door.views.take("intercom.view.end", {"view": "recorder 0"})
        later = await stack.enter_async_context(FarEnd())
        assert "sdp" in await watch(door, "later", await later.offer())


async def test_views_that_break_as_they_begin_leave_their_places_to_others(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down() -> None:
        raise RuntimeError("the camera's film tore")

    async with FarEnd() as recorder, FarEnd() as later:
        offer = await recorder.offer()
        with monkeypatch.context() as broken:
            broken.setattr(door.camera, "frames", break_down)
            for number in range(STANDING_LIMIT):
                asked = {"view": f"recorder {number}", "callID": "", "by": FRIGATE, "sdp": offer, "standing": True}
                door.views.take("intercom.view", asked)
            await until(lambda: len(door.defects) == STANDING_LIMIT)
        assert not any(door.views.by_kind.values())
        assert "sdp" in await watch(door, "later", await later.offer())
    door.defects.clear()


async def test_a_call_begins_and_ends_and_a_recorder_sees_on(door: Door) -> None:
    async with FarEnd() as recorder:
        await recorder.accept((await watch(door, "view", await recorder.offer()))["sdp"])
        door.tell(CallBegan(CALL), Answered(CALL), Ended(CALL, "NORMAL_CLEARING", answered=True))
        await recorder.sees(2)
        assert len(door.views) == 1


@pytest.mark.parametrize(
    ("setting", "talk", "sounds"), [(True, True, True), (True, False, False), (False, True, False)]
)
async def test_a_viewer_hears_and_speaks_only_where_both_space_and_door_let_it(
    door: Door, *, setting: bool, talk: bool, sounds: bool
) -> None:
    await door.views.stop()
    door.views = door.make(replace(door.config, call=CallConfig(viewers_talk=setting)))
    async with Go2rtc() as viewer:
        answer = (await watch(door, "view", await viewer.offer(), talk=talk))["sdp"]
    assert (re.search(r"m=audio 0 ", answer) is None) is sounds


async def test_a_page_s_view_has_no_sound_even_where_viewers_talk(door: Door) -> None:
    await door.views.stop()
    door.views = door.make(door.talking())
    async with Go2rtc() as page:
        door.views.take("intercom.view", {"view": "v", "callID": "", "by": FRIGATE, "sdp": await page.offer()})
        assert "m=audio 0 " in (await door.answer("v"))["sdp"]


async def test_views_of_which_the_space_knows_no_more_end(door: Door) -> None:
    async with FarEnd() as kept, FarEnd() as forgotten, FarEnd() as page:
        assert "sdp" in await watch(door, "kept", await kept.offer())
        assert "sdp" in await watch(door, "forgotten", await forgotten.offer())
        assert "sdp" in await door.ask(page, "page", call_id="")
        door.views.take("intercom.views", {"views": ["kept", "another"]})
        assert len(door.views) == 2, "a page's look has an end of its own"
        await asyncio.sleep(0)
        door.views.take("intercom.view.end", {"view": "kept"})
        assert len(door.views) == 1


@pytest.mark.parametrize(
    ("event", "params"),
    [
        ("intercom.views", {}),
        ("intercom.views", {"views": "all"}),
        ("intercom.view.candidates", {"view": "v", "candidates": ["candidate:1"] * 99}),
        ("intercom.view.candidates", {"view": "v", "candidates": [1]}),
        ("intercom.view", {"view": "v", "sdp": "v=0", "by": FRIGATE, "standing": "yes"}),
        ("intercom.else", {}),
    ],
)
async def test_an_event_that_cannot_be_read_changes_nothing(door: Door, event: str, params: dict[str, Any]) -> None:
    async with FarEnd() as recorder:
        assert "sdp" in await watch(door, "view", await recorder.offer())
        door.views.take(event, params)
        assert len(door.views) == 1
