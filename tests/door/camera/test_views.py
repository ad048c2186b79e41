"""Who sees through a door's camera, and until when, as the door decides it: real peers, a service of a few lines."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from intercom.config import CallConfig, CameraConfig, Config
from intercom.door.camera import views as module
from intercom.door.camera.press_snapshot import PressPictures
from intercom.door.camera.views import Views
from intercom.door.parts import present_picture
from intercom.facts import Answered, CallBegan, CallIdentity, Ended, Fact, LookedAt, Pressed, RangAgain
from intercom.history.journal import Journal
from intercom.media.camera.encoder import VideoFormat
from intercom.media.camera.shared import Camera
from intercom.media.camera.test_pattern import PatternSource
from intercom.media.sound.beside import BesideCall
from intercom.media.viewers import viewers
from intercom.signalwire import SignalWire
from tests.media.calls import until
from tests.media.viewers.far_end import PATIENCE_S, FarEnd
from tests.readme import ROOT

SMALL = VideoFormat(320, 180, 15, 400_000)
CALL, NEXT = CallIdentity("ring", "outbound", "/private/house"), CallIdentity("next", "outbound", "/private/house")
KITCHEN = {"number": "/private/kitchen", "name": "Kitchen\x1b[2J"}


class Service:
    """What the door says of its views, in order, and the answers to them."""

    ice_servers: tuple[Mapping[str, Any], ...] = ()

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []
        self.session = self

    async def execute(self, method: str, params: Mapping[str, Any]) -> None:
        self.said.append((method, dict(params)))

    def of(self, method: str) -> list[dict[str, Any]]:
        return [params for said, params in self.said if said == method]


class Door:
    """A door's camera, journal and views."""

    def __init__(self, **camera: Any) -> None:
        self.config = Config(camera=CameraConfig(source="pattern", **camera), call=CallConfig())
        self.camera = Camera(PatternSource(SMALL))
        self.beside = BesideCall(lambda: None)
        self.service = Service()
        self.defects: list[BaseException] = []
        self.facts: list[Fact] = []
        self.journal = Journal(self.defects.append)
        self.pictures = PressPictures(lambda: present_picture(self.camera))
        self.views = self.make(self.config)

    def make(self, config: Config) -> Views:
        views = Views(
            config,
            camera=self.camera,
            beside=self.beside,
            pictures=self.pictures,
            client=cast(SignalWire, self.service),
            tell=self.journal.tell,
            on_defect=self.defects.append,
        )
        self.journal.subscribe(views.hear)
        self.journal.subscribe(lambda entry: self.facts.append(entry.fact))
        return views

    def talking(self) -> Config:
        """The configuration, with `call.viewers_talk`."""
        return replace(self.config, call=CallConfig(viewers_talk=True))

    def tell(self, *facts: Fact) -> None:
        for fact in facts:
            self.journal.tell(fact)

    async def ask(self, far_end: FarEnd, view: str = "view", call_id: str = "ring") -> dict[str, Any]:
        """Ask for a view; return the door's answer."""
        offer = await far_end.offer()
        self.views.take("intercom.view", {"view": view, "callID": call_id, "by": KITCHEN, "sdp": offer})
        return await self.answer(view)

    async def answer(self, view: str) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for answer in self.service.of("intercom.view.answer"):
                    if answer["view"] == view:
                        return answer
                await asyncio.sleep(0.01)

    async def stop(self) -> None:
        await self.pictures.stop()
        await self.views.stop()
        await asyncio.to_thread(self.camera.stop)
        assert self.defects == []


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    door = Door()
    yield door
    await door.stop()


@pytest.fixture
async def open_door() -> AsyncIterator[Door]:
    """A door with `camera.look`."""
    door = Door(look=True)
    yield door
    await door.stop()


async def test_whom_the_door_rings_sees_the_visitor(door: Door) -> None:
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    async with FarEnd() as far_end:
        await far_end.accept((await door.ask(far_end))["sdp"])
        assert (await far_end.sees()).width == 320


async def test_a_page_that_knows_of_the_ring_before_the_door_does_sees_the_visitor(door: Door) -> None:
    async with FarEnd() as far_end:
        asking = asyncio.create_task(door.ask(far_end))
        await asyncio.sleep(0)
        door.tell(CallBegan(CALL))
        assert "sdp" in await asking


@pytest.mark.parametrize("call_id", ["another", ""])
async def test_whom_the_door_does_not_ring_sees_nothing(
    door: Door, call_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BEGINS_S", 0.05)
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        assert "refused" in await door.ask(far_end, call_id=call_id)
    assert not door.camera.is_running


@pytest.mark.parametrize("end", [Ended(CALL, "ORIGINATOR_CANCEL", answered=False), RangAgain("ring", NEXT)])
async def test_the_end_of_the_call_ends_its_views_at_once(door: Door, end: Fact) -> None:
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        assert "sdp" in await door.ask(far_end)
        door.tell(end)
        assert len(door.views) == 0
    await until(lambda: not door.camera.is_running)


async def test_the_answer_ends_views_once_the_call_has_its_own_picture(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "HANDOVER_S", 0.2)
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        assert "sdp" in await door.ask(far_end)
        door.tell(Answered(CALL))
        assert len(door.views) == 1, "whoever answers sees on without a gap"
        await until(lambda: len(door.views) == 0)
    assert {"view": "view", "reason": "over"} in door.service.of("intercom.view.end")


def test_views_outlast_the_longest_that_a_page_gives_its_call_to_connect_and_then_keeps_its_view() -> None:
    page = ROOT / "intercom/station"
    limits = (("call/call.js", "CONNECT_MAX_MS"), ("station.js", "HANDOVER_MS"))
    found = [re.search(rf"{name} = (\d+);", (page / file).read_text(encoding="utf-8")) for file, name in limits]
    assert sum(int(limit[1]) for limit in found if limit) / 1000 < module.HANDOVER_S
    assert all(found)


async def test_after_the_answer_nobody_begins_to_see(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BEGINS_S", 0.05)
    door.tell(CallBegan(CALL), Answered(CALL))
    async with FarEnd() as far_end:
        assert (await door.ask(far_end))["refused"] == "not-ringing"


async def test_the_space_ends_a_view(door: Door) -> None:
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        assert "sdp" in await door.ask(far_end)
        door.views.take("intercom.view.end", {"view": "view"})
        assert len(door.views) == 0


async def test_a_camera_that_is_switched_off_ends_the_view_and_says_so(door: Door) -> None:
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        await far_end.accept((await door.ask(far_end))["sdp"])
        await far_end.sees()
        door.camera.forbid(True)
        await until(lambda: {"view": "view", "reason": "off"} in door.service.of("intercom.view.end"))
    async with FarEnd() as later:
        assert (await door.ask(later, "later"))["refused"] == "off"


async def test_a_door_that_sends_no_picture_shows_none(door: Door) -> None:
    await door.views.stop()
    door.views = door.make(replace(door.config, call=CallConfig(video=False)))
    door.tell(CallBegan(CALL))
    async with FarEnd() as far_end:
        assert (await door.ask(far_end))["refused"] == "absent"


async def test_only_the_house_s_own_space_is_believed_who_asks(door: Door) -> None:
    account = replace(door.config.account, credential="token-file", credential_file="/nowhere")
    await door.views.stop()
    door.views = door.make(replace(door.config, account=account))
    door.pictures.press()
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    door.views.take("intercom.view", {"view": "view", "callID": "ring", "by": KITCHEN, "sdp": "v=0"})
    await door.pictures.last()
    assert door.service.said == []


async def test_the_picture_of_the_press_is_shown_to_those_who_ring(door: Door) -> None:
    door.pictures.press()
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    await until(lambda: bool(door.service.of("intercom.still")))
    still = door.service.of("intercom.still")[0]
    assert still["callID"] == "ring"
    picture = await door.pictures.last()
    assert picture is not None
    assert base64.b64decode(still["jpeg"]) == picture.jpeg, "one that is small enough is shown at once, as it is"


async def test_a_picture_that_is_too_big_for_the_pages_is_shown_smaller(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    door.pictures.press()
    picture = await door.pictures.last()
    assert picture is not None
    monkeypatch.setattr(module, "STILL_BYTES", limit := len(picture.jpeg) - 1)
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    await until(lambda: bool(door.service.of("intercom.still")))
    jpeg = base64.b64decode(door.service.of("intercom.still")[0]["jpeg"])
    assert jpeg[:2] == b"\xff\xd8"
    assert len(jpeg) <= limit


async def test_the_picture_of_an_earlier_press_is_not_shown(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    door.pictures.press()
    await door.pictures.last()
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    async with FarEnd() as far_end:
        assert "sdp" in await door.ask(far_end)
    assert door.service.of("intercom.still") == []


async def test_a_camera_that_was_switched_off_since_the_press_shows_no_still(door: Door) -> None:
    door.pictures.press()
    await door.pictures.last()
    door.camera.forbid(True)
    door.tell(Pressed("/private/house"), CallBegan(CALL))
    async with FarEnd() as far_end:
        assert (await door.ask(far_end))["refused"] == "off"
    await door.views.stop()
    assert door.service.of("intercom.still") == []


async def test_where_nobody_may_look_nobody_does(door: Door) -> None:
    async with FarEnd() as far_end:
        assert (await door.ask(far_end, call_id=""))["refused"] == "no-look"
    assert door.facts == []


async def test_a_resident_looks_where_the_owner_lets_them_and_it_is_told(open_door: Door) -> None:
    async with FarEnd() as far_end:
        await far_end.accept((await open_door.ask(far_end, call_id=""))["sdp"])
        assert (await far_end.sees()).width == 320
    assert open_door.facts == [LookedAt("/private/kitchen", "Kitchen?[2J")]


@pytest.mark.parametrize("look", [True, False])
async def test_a_page_hears_whether_it_may_look(look: bool) -> None:
    door = Door(look=look)
    door.views.take("intercom.view", {"view": "view", "callID": "", "by": KITCHEN, "sdp": ""})
    assert (await door.answer("view"))["refused"] == ("may" if look else "no-look")
    assert door.facts == []
    await door.stop()


async def test_a_look_has_an_end(open_door: Door) -> None:
    await open_door.views.stop()
    open_door.views = open_door.make(
        replace(open_door.config, call=SimpleNamespace(video=True, time_limit_s=0.1, viewers_talk=False))
    )  # type: ignore[arg-type]  # the shortest that the setting takes is ten seconds
    async with FarEnd() as far_end:
        assert "sdp" in await open_door.ask(far_end, call_id="")
        await until(lambda: len(open_door.views) == 0)


async def test_the_end_of_a_call_leaves_a_look_alone(open_door: Door) -> None:
    async with FarEnd() as far_end:
        assert "sdp" in await open_door.ask(far_end, call_id="")
        open_door.tell(CallBegan(CALL), Ended(CALL, "ORIGINATOR_CANCEL", answered=False))
        assert len(open_door.views) == 1


@pytest.mark.parametrize("params", [{}, {"view": 1, "sdp": "v=0", "by": {}}, {"view": "v", "sdp": None, "by": 3}])
async def test_a_request_that_cannot_be_read_is_ignored(door: Door, params: dict[str, Any]) -> None:
    door.views.take("intercom.view", params)
    assert len(door.views) == 0


async def test_who_sees_is_counted_by_why_they_may(open_door: Door) -> None:
    open_door.tell(CallBegan(CALL))
    async with FarEnd() as rung, FarEnd() as looks, FarEnd() as records:
        assert "sdp" in await open_door.ask(rung)
        assert "sdp" in await open_door.ask(looks, "look", call_id="")
        offer = await records.offer()
        open_door.views.take("intercom.view", {"view": "nvr", "sdp": offer, "by": KITCHEN, "standing": True})
        assert "sdp" in await open_door.answer("nvr")
        assert open_door.views.by_kind == {"ring": 1, "look": 1, "token": 1}
        open_door.tell(Ended(CALL, "ORIGINATOR_CANCEL", answered=False))
        open_door.views.take("intercom.view.end", {"view": "nvr"})
        assert open_door.views.by_kind == {"ring": 0, "look": 1, "token": 0}


async def test_who_may_not_see_is_counted_and_who_only_asks_is_not(door: Door) -> None:
    door.views.take("intercom.view", {"view": "asks", "callID": "", "by": KITCHEN, "sdp": ""})
    assert "refused" in await door.answer("asks")
    assert door.views.refused.total() == 0
    async with FarEnd() as far_end:
        assert "refused" in await door.ask(far_end, call_id="")
    assert +door.views.refused == {"no-look": 1}


def test_each_reason_of_the_camera_is_among_the_figures() -> None:
    assert set(viewers.REFUSALS) <= set(module.REFUSALS)
