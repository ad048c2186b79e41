"""The visitors' list of a running space: what the pages of residents read, are told and delete."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.config import HistoryConfig
from tests.space.conftest import WAIT_S
from tests.space.visitors.front import JPEG, Front, front


@pytest.fixture
async def home(tmp_path: Path) -> AsyncIterator[Front]:
    """A house that keeps visitors with their pictures."""
    async with front(tmp_path / "state") as running:
        yield running


async def test_a_visitor_whom_nobody_answers_is_listed_as_missed_with_the_door_and_the_time(home: Front) -> None:
    await home.give_up(await home.press())
    await home.told("given_up")
    found = await home.list()
    (one,) = found["visitors"]
    assert one["door"] == {"name": "Front door", "address": "/private/door"}
    assert 0 <= one["ended_at"] - one["began_at"] < 60
    assert (one["state"], one["by"], one["opened_by"], one["picture"]) == ("given_up", "", "", False)
    assert (found["keeps"], found["total"], found["missed"]) == (True, 1, 1)


async def test_it_is_listed_which_button_the_visitor_pressed(home: Front) -> None:
    await home.give_up(await home.press(button="Flat\u202e 2"))
    await home.told("given_up")
    assert [one["button"] for one in (await home.list())["visitors"]] == ["Flat? 2"]


async def test_it_is_listed_who_answered_and_who_opened_the_door(home: Front) -> None:
    call = await home.press()
    await home.answer()
    await home.door.verto("verto.info", call, intercom={"door": "open", "by": "/private/anna"})
    await home.door.verto("verto.bye", call)
    await home.told("answered")
    (one,) = (await home.list())["visitors"]
    assert (one["state"], one["by"]) == ("answered", "Anna")
    assert (await home.list())["missed"] == 0


async def test_it_is_listed_what_the_door_said_for_the_house_and_for_whom(home: Front) -> None:
    call = await home.press()
    for text, by in (("Please wait.", ""), ("I am coming.", "Anna")):
        await home.door.rpc("intercom.said", {"callID": call, "text": text, "by": by})
    await home.give_up(call)
    (one,) = (await home.told("given_up"))["visitors"]
    assert one["replies"] == [{"text": "Please wait.", "by": ""}, {"text": "I am coming.", "by": "Anna"}]
    assert (await home.list())["visitors"] == [one]


async def test_the_picture_of_the_press_is_served_to_residents_and_kept_by_no_browser(home: Front) -> None:
    call = await home.press()
    await home.show(call)
    await home.give_up(call)
    (one,) = (await home.told("given_up", picture=True))["visitors"]
    url = f"{home.house.space.url}/api/space/visitors/{one['id']}/picture"
    async with home.house.http.get(url, headers=home.headers) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "image/jpeg", JPEG)
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_what_is_no_jpeg_is_not_kept_as_a_picture(home: Front) -> None:
    call = await home.press()
    await home.show(call, b"<script>alert(1)</script>")
    await home.give_up(call)
    await home.told("given_up")
    assert not (await home.list())["visitors"][0]["picture"]


async def test_a_page_hears_of_a_visitor_while_the_door_still_rings(home: Front) -> None:
    await home.press()
    (one,) = (await home.told("ringing"))["visitors"]
    assert one["ended_at"] is None


async def test_the_list_is_read_page_by_page(home: Front) -> None:
    for number in range(5):
        await home.give_up(await home.press(f"press-{number}"))
    while (await home.list("limit=0"))["missed"] < 5:
        await home.told("given_up")
    first = await home.list("limit=3")
    second = await home.list(f"limit=3&before={first['visitors'][-1]['id']}")
    rings = [one["ring"] for one in first["visitors"] + second["visitors"]]
    assert rings == [f"door/press-{number}" for number in reversed(range(5))]
    assert (await home.list(f"limit=1&seen={first['version']}"))["missed"] == 0


@pytest.mark.parametrize("query", ["limit=-1", "limit=x", "before=", "before=9e9", "limit=" + "9" * 400, "seen=²"])
async def test_a_number_that_is_none_is_as_if_it_were_not_there(home: Front, query: str) -> None:
    assert (await home.list(query))["visitors"] == []


async def test_a_deleted_visitor_is_gone_and_every_open_page_is_told(home: Front) -> None:
    call = await home.press()
    await home.show(call)
    await home.give_up(call)
    (one,) = (await home.told("given_up", picture=True))["visitors"]
    assert (await home.ask("DELETE", f"/{one['id']}"))[0] == 200
    assert await home.told() == {"visitors": [], "gone": [one["id"]]}
    assert (await home.list())["visitors"] == []
    assert (await home.ask("GET", f"/{one['id']}/picture"))[0] == 404
    assert (await home.ask("DELETE", f"/{one['id']}"))[0] == 200


async def test_deleting_all_names_the_newest_that_was_shown(home: Front) -> None:
    await home.give_up(await home.press("first"))
    (first,) = (await home.told("given_up"))["visitors"]
    await home.give_up(await home.press("second"))
    await home.told("given_up")
    assert (await home.ask("DELETE", ""))[0] == 422
    assert (await home.ask("DELETE", f"?until={first['id']}"))[0] == 200
    assert await home.told() == {"anew": True}
    assert [one["ring"] for one in (await home.list())["visitors"]] == ["door/second"]


async def test_nothing_is_kept_where_history_keeps_nothing(tmp_path: Path) -> None:
    directory = tmp_path / "state"
    async with front(directory, HistoryConfig(keep_calls=0, snapshots=True)) as home:
        call = await home.press()
        await home.show(call)
        await home.give_up(call)
        found = await home.list()
    assert (found["keeps"], found["visitors"]) == (False, [])
    assert not list(directory.glob("visitors*"))


async def test_no_picture_is_kept_unless_history_says_so(tmp_path: Path) -> None:
    async with front(tmp_path / "state", HistoryConfig()) as home:
        call = await home.press()
        await home.show(call)
        await home.give_up(call)
        (one,) = (await home.told("given_up"))["visitors"]
        assert not one["picture"]
        assert (await home.ask("GET", f"/{one['id']}/picture"))[0] == 404
    assert b"a face" not in (tmp_path / "state" / "visitors.sqlite3").read_bytes()


async def test_a_ring_that_goes_on_after_a_restart_of_the_space_is_one_visit(tmp_path: Path) -> None:
    async with front(tmp_path / "state") as home:
        await home.press()
        await home.told("ringing")
    async with front(tmp_path / "state") as again:
        call = await again.press()
        await again.told("ringing")
        await again.answer()
        await again.door.verto("verto.bye", call)
        await again.told("answered")
        (one,) = (await again.list())["visitors"]
    assert (one["state"], one["by"]) == ("answered", "Anna")


async def test_a_call_that_goes_on_after_a_restart_of_the_space_is_one_visit(tmp_path: Path) -> None:
    async with front(tmp_path / "state") as home:
        call = await home.press()
        await home.answer()
        await home.told("answered")
        door, former = home.door, (await home.list())["visitors"]
    async with front(tmp_path / "state") as again:
        back = await again.house.open()
        await back.connect(door.token, protocol=door.protocol, authorization_state=door.state)
        await back.heard("verto.attach")
        await back.verto("verto.bye", call)
        told = await again.told("answered")
        assert [one["id"] for one in told["visitors"]] == [former[0]["id"]]
        assert (await again.list())["total"] == 1


async def test_the_door_is_not_told_of_the_list(home: Front) -> None:
    await home.give_up(await home.press())
    await home.told("given_up")
    await home.door.rpc("signalwire.ping")
    heard = [json.dumps(home.door.room_events.get_nowait()) for _ in range(home.door.room_events.qsize())]
    assert not [event for event in heard if "intercom.visitors" in event]


async def test_a_press_of_which_the_house_heard_no_call_is_listed_as_missed(home: Front) -> None:
    press = {"ring": "press-9", "ago_s": 90.0, "button": "Office"}
    assert "result" in await home.door.rpc("intercom.unheard", press)
    (one,) = (await home.told("missed"))["visitors"]
    assert (one["ring"], one["door"]["name"], one["button"], one["by"]) == ("door/press-9", "Front door", "Office", "")
    assert abs(time.time() - 90 - one["began_at"]) < WAIT_S
    assert (await home.list())["missed"] == 1


async def test_a_press_whose_call_the_house_heard_stays_as_it_is(home: Front) -> None:
    await home.press("press-1")
    await home.answer()
    await home.told("answered")
    await home.door.rpc("intercom.unheard", {"ring": "press-1", "ago_s": 1.0})
    await home.door.rpc("intercom.unheard", {"ring": "press-2", "ago_s": 1.0})
    await home.told("missed")
    assert [one["state"] for one in (await home.list())["visitors"]] == ["missed", "answered"]


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"ring": "", "ago_s": 1.0},
        {"ring": "x" * 65, "ago_s": 1.0},
        {"ring": "a", "ago_s": -1.0},
        {"ring": "a", "ago_s": 1.0, "how": "answered"},
        {"ring": "a", "ago_s": 1.0, "button": "x" * 65},
    ],
)
async def test_what_is_no_press_is_refused(home: Front, told: dict[str, Any]) -> None:
    assert "error" in await home.door.rpc("intercom.unheard", told)
