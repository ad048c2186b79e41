"""Somebody has copied a viewer's token, guesses one, or had theirs taken back: it shows a door, and no more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intercom.config import SpaceConfig
from intercom.facts import DoorOpened, DoorRefused
from intercom.space import Membership
from intercom.space.store.store import DATABASE
from tests.door.camera.test_standing_viewers import watch
from tests.door.camera.test_views import Door
from tests.media.viewers.go2rtc import Go2rtc, Voice
from tests.space.conftest import OFFER, WAIT_S, house_with
from tests.space.http.test_viewer_api import Street, street

__all__ = ["street"]

ELSEWHERE = [
    ("POST", "/api/space/token"),
    ("POST", "/api/space/pairing"),
    ("GET", "/api/space/visitors?limit=10"),
    ("GET", "/api/fabric/subscriber/info"),
    ("GET", "/api/fabric/addresses"),
    ("POST", "/api/fabric/subscribers/tokens"),
    ("POST", "/api/space/device/ring"),
]


@pytest.mark.parametrize(("method", "path"), ELSEWHERE)
async def test_a_viewer_s_token_opens_nothing_else(street: Street, method: str, path: str) -> None:
    async with street.house.http.request(method, street.url + path, headers=street.headers()) as answer:
        assert answer.status == 401, path


async def test_a_viewer_s_token_signs_nobody_in_at_the_socket(street: Street) -> None:
    client = await street.house.open()
    assert "error" in await client.connect(street.token)


@pytest.mark.parametrize("credential", ["device", "access", "api"])
async def test_no_other_secret_of_the_house_watches(street: Street, credential: str) -> None:
    space = street.house.space
    anna = space.store.add_subscriber("anna", groups=("house",))
    token = {
        "device": space.store.add_device(anna, "Anna"),
        "access": street.house.token("anna"),
        "api": space.api_token,
    }[credential]
    async with street.house.http.post(f"{street.url}/whep/door", data=OFFER, headers=street.headers(token)) as answer:
        assert answer.status == 401
    await street.is_asked_nothing()


@pytest.mark.parametrize("path", ["/whep/door?token=TOKEN", "/whep/door?access_token=TOKEN", "/api/ws?token=TOKEN"])
async def test_a_token_in_a_url_which_proxies_log_counts_nowhere(street: Street, path: str) -> None:
    where = street.url + path.replace("TOKEN", street.token)
    method = "GET" if "ws" in path else "POST"
    async with street.house.http.request(method, where, data=OFFER, headers={"Content-Type": "application/sdp"}) as no:
        assert no.status == 401
    await street.is_asked_nothing()


@pytest.mark.parametrize(("method", "path"), [("POST", "/whep/door"), ("GET", "/api/ws")])
async def test_guesses_are_few(street: Street, method: str, path: str) -> None:
    statuses: list[int] = []
    while 429 not in statuses:
        assert len(statuses) < 100
        headers = street.headers(f"guess-{len(statuses)}")
        async with street.house.http.request(method, street.url + path, headers=headers) as answer:
            statuses.append(answer.status)
    assert set(statuses) == {401, 429}
    await street.is_asked_nothing()


async def test_nobody_ends_or_misleads_the_view_of_another_viewer(street: Street) -> None:
    answer, asked = await street.whep()
    where = street.url + answer.headers["Location"]
    thief = street.house.space.store.viewers.add("thief", talks=False)
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag"}
    for headers, status in ((street.headers(thief), 404), (street.headers("guessed"), 401)):
        async with street.house.http.delete(where, headers=headers) as refused:
            assert refused.status == status
        body = "a=candidate:1 1 udp 1 10.6.6.6 9 typ host"
        async with street.house.http.patch(where, data=body, headers={**headers, **fragment}) as refused:
            assert refused.status == status
    assert street.house.space.watching.watch(_viewer(street, "frigate"), asked["view"]) is not None
    assert street.house.space.watching.watch(_viewer(street, "thief"), asked["view"]) is None


def _viewer(street: Street, name: str) -> Any:
    return next(viewer for viewer in street.house.space.store.viewers.all() if viewer.name == name)


async def test_a_viewer_that_was_removed_sees_no_more_and_never_again(street: Street, tmp_path: Path) -> None:
    _, asked = await street.whep()
    with Membership(tmp_path / "state") as members:
        members.viewers.remove("frigate")
    assert (await street.hears("intercom.view.end"))["view"] == asked["view"]
    async with street.house.http.post(f"{street.url}/whep/door", data=OFFER, headers=street.headers()) as answer:
        assert answer.status == 401
    with Membership(tmp_path / "state") as members:
        members.viewers.add("frigate", talks=True)  # the name is somebody else's now
    async with street.house.http.post(f"{street.url}/whep/door", data=OFFER, headers=street.headers()) as answer:
        assert answer.status == 401


async def test_a_viewer_that_was_removed_while_the_space_was_away_is_ended_when_the_door_comes_back(
    tmp_path: Path,
) -> None:
    config = SpaceConfig(listen="127.0.0.1:0")
    async with house_with(config, tmp_path / "state") as house:
        house.space.store.add_subscriber("door", "Front door", kind="door")
        before = Street(house, await house.join("door"), house.space.store.viewers.add("frigate", talks=True))
        await before.whep()
    with Membership(tmp_path / "state") as members:
        members.viewers.remove("frigate")
    async with house_with(config, tmp_path / "state") as house:
        after = Street(house, await house.join("door"), before.token)
        assert (await after.hears("intercom.views"))["views"] == [], "the door ends what is not among them"
        async with house.http.post(f"{after.url}/whep/door", data=OFFER, headers=after.headers()) as answer:
            assert answer.status == 401


async def test_a_page_of_another_site_watches_with_no_token_at_all(street: Street) -> None:
    for origin in ("https://evil.example", "null", "https://dashboard.example.evil.example"):
        for path in ("/whep/door", "/api/ws"):
            headers = street.headers(Origin=origin)
            method = "GET" if path == "/api/ws" else "POST"
            async with street.house.http.request(method, street.url + path, data=OFFER, headers=headers) as answer:
                assert answer.status == 403
                assert "Access-Control-Allow-Origin" not in answer.headers
    await street.is_asked_nothing()


async def test_a_page_that_may_frame_the_station_reads_nothing_but_the_viewers_paths(street: Street) -> None:
    for path in ("/api/space/hello", "/api/space/visitors?limit=1", "/api/ws"):
        headers = street.headers(Origin="https://dashboard.example")
        async with street.house.http.get(street.url + path, headers=headers) as answer:
            assert answer.status == 403


async def test_no_token_is_on_disk_or_in_the_log(
    street: Street, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        await street.whep()
        socket = await street.socket()
        await socket.close()
    assert street.token not in caplog.text
    files = [file for file in (tmp_path / "state").rglob("*") if file.is_file()]
    assert tmp_path / "state" / DATABASE in files
    assert not any(street.token.encode() in file.read_bytes() for file in files)


@pytest.fixture
async def door() -> AsyncIterator[Door]:
    """A door that anybody may look at, and talk with."""
    door = Door(look=True)
    yield door
    await door.stop()


async def test_keys_and_tones_of_a_viewer_who_may_talk_open_nothing(door: Door) -> None:
    await door.views.stop()
    door.views = door.make(door.talking())
    async with Go2rtc(Voice(697.0)) as viewer:
        answer = (await watch(door, "view", await viewer.offer(), talk=True))["sdp"]
        assert "m=audio 0 " not in answer
        assert "telephone-event" not in answer
        await viewer.accept(answer)
        async with asyncio.timeout(WAIT_S):
            while door.beside.voice is None:
                await viewer.sees()
        voice = door.beside.voice
        for sequence in range(50):
            event = bytes([0x80, 126, 0, sequence, 0, 0, 0, 1, 0, 0, 0, 9]) + bytes([9, 0x8A, 0x06, 0x40])
            await viewer.picture.transport._send_rtp(event)
            voice.pull(sequence / 100)
        await viewer.sees(3)
    assert not any(isinstance(fact, DoorOpened | DoorRefused) for fact in door.facts)
