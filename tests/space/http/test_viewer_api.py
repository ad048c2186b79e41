"""WHEP and go2rtc's WebSocket at a real space, whose door answers what a test lets it."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from intercom.config import SpaceConfig
from intercom.space.http.viewer_api import MESSAGES_LIMIT, OFFER_LIMIT_BYTES, REASONS
from intercom.space.switch import views
from intercom.space.viewers.watching import CANDIDATES_LIMIT
from tests.space.conftest import ANSWER, OFFER, WAIT_S, Client, House, house_with

SDP = {"Content-Type": "application/sdp"}
FRAGMENT = {"Content-Type": "application/trickle-ice-sdpfrag"}
PAGE = "https://dashboard.example"


class Street:
    """A space with a door and one viewer."""

    def __init__(self, house: House, door: Client, token: str) -> None:
        self.house, self.door, self.token = house, door, token
        self.url = house.space.url
        self._told: list[dict[str, Any]] = []

    async def hears(self, kind: str) -> dict[str, Any]:
        """Return what the door is told next of this kind; what it is told else is kept."""
        async with asyncio.timeout(WAIT_S):
            while (event := next((told for told in self._told if told["event_type"] == kind), None)) is None:
                self._told.append(await self.door.room_events.get())
        self._told.remove(event)
        params: dict[str, Any] = event["params"]
        return params

    async def answers(self, **says: Any) -> dict[str, Any]:
        """Let the door answer the next viewer; return what it was asked."""
        asked = await self.hears("intercom.view")
        await self.door.rpc("intercom.view.answer", {"view": asked["view"], **(says or {"sdp": ANSWER})})
        return asked

    async def is_asked_nothing(self) -> None:
        """Whatever was on its way to the door has arrived once it gets an answer; nobody must have asked to look."""
        await self.door.rpc("signalwire.ping")
        while not self.door.room_events.empty():
            assert self.door.room_events.get_nowait()["event_type"] != "intercom.view"

    def headers(self, token: str = "", **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {token or self.token}", **SDP, **more}

    async def whep(self, **says: Any) -> tuple[aiohttp.ClientResponse, dict[str, Any]]:
        """Ask by WHEP; return the space's answer, and what the door was asked."""
        asking = asyncio.create_task(self.house.http.post(f"{self.url}/whep/door", data=OFFER, headers=self.headers()))
        asked = await self.answers(**says)
        return await asking, asked

    async def socket(self, **query: str) -> aiohttp.ClientWebSocketResponse:
        """Connect as go2rtc does: the token is the password of the URL."""
        basic = base64.b64encode(f"frigate:{self.token}".encode()).decode()
        where = f"{self.url.replace('http', 'ws', 1)}/api/ws"
        return await self.house.http.ws_connect(where, params=query, headers={"Authorization": f"Basic {basic}"})


@pytest.fixture
async def street(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Street]:
    monkeypatch.setattr(views, "ANSWER_LIMIT_S", WAIT_S)  # the door answers when a test gets to it
    config = SpaceConfig(listen="127.0.0.1:0", embed_allowed=(PAGE,))
    async with house_with(config, tmp_path / "state") as house:
        house.space.store.add_subscriber("door", "Front door", kind="door")
        yield Street(house, await house.join("door"), house.space.store.viewers.add("frigate", talks=True))


# -- WHEP ----------------------------------------------------------------------------------------------------


async def test_an_offer_gets_the_door_s_answer_and_a_place_to_end_it(street: Street) -> None:
    answer, asked = await street.whep()
    assert (answer.status, answer.content_type, await answer.text()) == (201, "application/sdp", ANSWER)
    assert answer.headers["Location"] == f"/whep/door/{asked['view']}"
    assert answer.headers["ETag"] == f'"{asked["view"]}"'
    assert (asked["by"]["name"], asked["sdp"], asked["standing"], asked["talk"]) == ("frigate", OFFER, True, True)
    where = street.url + answer.headers["Location"]
    async with street.house.http.delete(where, headers=street.headers()) as ended:
        assert ended.status == 200
    assert (await street.hears("intercom.view.end"))["view"] == asked["view"]
    async with street.house.http.delete(where, headers=street.headers()) as again:
        assert again.status == 404


@pytest.mark.parametrize("reason", sorted(REASONS.keys() - {"slow"}))
async def test_a_refusal_of_the_door_is_a_status_and_a_sentence(street: Street, reason: str) -> None:
    answer, _ = await street.whep(refused=reason)
    status, sentence = REASONS[reason]
    assert (answer.status, await answer.text()) == (status, f"{sentence}\n")


@pytest.mark.parametrize("where", ["/whep/back-door", "/whep/frigate", "/whep/house"])
async def test_a_door_that_is_not_there_is_not_found(street: Street, where: str) -> None:
    async with street.house.http.post(street.url + where, data=OFFER, headers=street.headers()) as answer:
        assert answer.status == 404


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (OFFER, {"Content-Type": "application/json"}, 415),
        ("no offer", SDP, 400),
        ("", SDP, 400),
        (OFFER + "a=x\r\n" * OFFER_LIMIT_BYTES, SDP, 400),
        (b"v=0\xff", SDP, 400),
    ],
)
async def test_what_is_no_offer_reaches_no_door(
    street: Street, body: str | bytes, headers: dict[str, str], status: int
) -> None:
    said = {**street.headers(), **headers}
    async with street.house.http.post(f"{street.url}/whep/door", data=body, headers=said) as answer:
        assert answer.status == status
    await street.is_asked_nothing()


async def test_candidates_go_to_the_door_as_they_are_found(street: Street) -> None:
    answer, asked = await street.whep()
    where, tag = street.url + answer.headers["Location"], answer.headers["ETag"]
    body = "a=ice-ufrag:x\r\na=ice-pwd:y\r\na=mid:0\r\na=candidate:1 1 udp 1 10.0.0.9 9 typ host\r\n"
    said = {**street.headers(), **FRAGMENT, "If-Match": tag}
    async with street.house.http.patch(where, data=body, headers=said) as patched:
        assert patched.status == 204
    told = await street.hears("intercom.view.candidates")
    assert told == {"view": asked["view"], "candidates": ["candidate:1 1 udp 1 10.0.0.9 9 typ host"]}
    many = "a=candidate:2 1 udp 1 10.0.0.9 9 typ host\r\n" * 200
    async with street.house.http.patch(where, data=many[:8000], headers=said):
        assert len((await street.hears("intercom.view.candidates"))["candidates"]) == CANDIDATES_LIMIT - 1
    for match, status in (("*", 422), ('"another"', 412)):
        async with street.house.http.patch(where, data=body, headers={**said, "If-Match": match}) as refused:
            assert refused.status == status
    async with street.house.http.patch(where, data=body, headers=street.headers()) as no_fragment:
        assert no_fragment.status == 415


async def test_a_page_that_may_frame_the_station_may_watch_with_a_token(street: Street) -> None:
    ask = {"Origin": PAGE, "Access-Control-Request-Method": "POST"}
    async with street.house.http.options(f"{street.url}/whep/door", headers=ask) as preflight:
        assert preflight.status == 204
        assert preflight.headers["Access-Control-Allow-Origin"] == PAGE
        assert "DELETE" in preflight.headers["Access-Control-Allow-Methods"]
        assert preflight.headers["Accept-Post"] == "application/sdp"
    said = street.headers(Origin=PAGE)
    asking = asyncio.create_task(street.house.http.post(f"{street.url}/whep/door", data=OFFER, headers=said))
    await street.answers()
    answer = await asking
    assert answer.headers["Access-Control-Allow-Origin"] == PAGE
    assert "Location" in answer.headers["Access-Control-Expose-Headers"]


async def test_a_viewer_with_more_views_than_it_may_have_ends_its_oldest(street: Street) -> None:
    first = (await street.whep())[1]["view"]
    await street.whep()
    await street.whep()
    assert (await street.hears("intercom.view.end"))["view"] == first
    assert len(street.house.space.watching) == 2


async def test_a_door_that_ends_the_view_frees_its_place(street: Street) -> None:
    answer, asked = await street.whep()
    await street.door.rpc("intercom.view.end", {"view": asked["view"], "reason": "left"})
    assert len(street.house.space.watching) == 0
    where = street.url + answer.headers["Location"]
    async with street.house.http.delete(where, headers=street.headers()) as gone:
        assert gone.status == 404


# -- go2rtc --------------------------------------------------------------------------------------------------


async def test_go2rtc_gets_the_answer_first_and_its_early_candidates_wait_for_it(street: Street) -> None:
    socket = await street.socket(src="door")
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    await socket.send_json({"type": "webrtc/candidate", "value": "candidate:1 1 udp 1 10.0.0.9 9 typ host"})
    asked = await street.answers()
    assert await socket.receive_json(timeout=WAIT_S) == {"type": "webrtc/answer", "value": ANSWER}
    assert (await street.hears("intercom.view.candidates"))["view"] == asked["view"]
    await socket.close()
    await street.door.rpc("signalwire.ping")
    assert len(street.house.space.watching) == 1, "go2rtc closes its socket once it sees the door"


async def test_go2rtc_is_told_why_the_door_lets_it_not_look(street: Street) -> None:
    socket = await street.socket()
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    await street.answers(refused="no-look")
    told = await socket.receive_json(timeout=WAIT_S)
    assert told == {"type": "error", "value": f"webrtc/offer: {REASONS['no-look'][1]}"}
    assert (await socket.receive(WAIT_S)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_go2rtc_s_socket_closes_with_the_view(street: Street) -> None:
    socket = await street.socket()
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    asked = await street.answers()
    await socket.receive_json(timeout=WAIT_S)
    await street.door.rpc("intercom.view.end", {"view": asked["view"], "reason": "left"})
    assert (await socket.receive(WAIT_S)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


async def test_a_socket_that_closes_before_the_answer_ends_the_view(street: Street) -> None:
    socket = await street.socket()
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    asked = await street.hears("intercom.view")
    await socket.close()
    assert (await street.hears("intercom.view.end"))["view"] == asked["view"]


@pytest.mark.parametrize("says", ["no json", "[]", '{"type": 7}', '{"type": "webrtc/candidate", "value": "x"}', "{}"])
async def test_what_go2rtc_would_never_say_is_passed_over(street: Street, says: str) -> None:
    socket = await street.socket()
    await socket.send_str(says)
    await socket.send_json({"type": "webrtc/offer", "value": OFFER})
    await street.answers()
    assert (await socket.receive_json(timeout=WAIT_S))["type"] == "webrtc/answer"
    await socket.close()


async def test_who_talks_without_end_is_cut_off(street: Street) -> None:
    socket = await street.socket()
    for _ in range(MESSAGES_LIMIT + 1):
        await socket.send_json({"type": "webrtc/candidate", "value": "x"})
    assert (await socket.receive(WAIT_S)).type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}


def test_every_reason_is_a_word_that_a_door_may_say() -> None:
    assert all(re.fullmatch(r"[a-z-]{1,20}", reason) for reason in REASONS)


# -- the doctor of a door ------------------------------------------------------------------------------------


async def test_a_door_is_told_who_may_watch_it_and_nobody_else_is(street: Street) -> None:
    store = street.house.space.store
    resident = store.add_subscriber("anna", "Anna")
    gate = store.add_subscriber("gate", "Gate", kind="door")
    secrets = {"door": store.add_device(gate, "Gate"), "resident": store.add_device(resident, "Phone")}
    answers: dict[str, int] = {}
    for who, secret in {**secrets, "viewer": street.token, "stranger": "guess"}.items():
        headers = {"Authorization": f"Bearer {secret}"}
        async with street.house.http.get(f"{street.url}/api/space/viewers", headers=headers) as answer:
            answers[who] = answer.status
            if who == "door":
                assert await answer.json() == {"viewers": [{"name": "frigate", "talks": True, "seen_on": ""}]}
    assert answers == {"door": 200, "resident": 403, "viewer": 401, "stranger": 401}
