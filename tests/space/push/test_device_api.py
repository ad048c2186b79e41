"""A device's page names the device, lets it ring as a test, and says that its owner heard it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.space.conftest import Client
from tests.space.push.phone import Phone


async def says(phone: Phone, path: str, body: Any, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Post a body to the device's routes; return status and answer."""
    url = f"{phone.house.space.url}/api/space/device{path}"
    async with phone.house.http.post(url, json=body, headers=phone.headers if headers is None else headers) as answer:
        return answer.status, (await answer.json() if answer.content_type == "application/json" else None)


async def opens(phone: Phone, agent: str) -> Client:
    """Open the phone's page."""
    async with phone.house.http.post(phone.house.space.url + "/api/space/token", headers=phone.headers) as answer:
        token = (await answer.json())["token"]
    client = await phone.house.open()
    await client.connect(token, agent=agent)
    await client.rpc("subscriber.online")
    return client


async def test_a_device_takes_the_name_that_its_owner_gives_it_and_keeps_its_address(phone: Phone) -> None:
    status, described = await says(phone, "", {"name": "Anna\u202e's  phone"})
    assert (status, described["name"]) == (200, "Anna's phone")
    (listed,) = phone.house.space.store.devices()
    assert (listed.name, listed.address) == ("Anna's phone", "/private/phone")
    assert phone.house.space.store.display_name("/private/phone") == "Anna's phone"


async def test_an_open_page_rings_and_its_owner_says_so(phone: Phone) -> None:
    page = await opens(phone, "station/1 rings/1")
    assert (await page.room_events.get())["event_type"] == "intercom.rings"
    assert (await says(phone, "/ring", {"page": "open"}))[0] == 202
    assert (await page.room_events.get())["event_type"] == "intercom.test"
    status, described = await says(phone, "/rang", {"page": "open"})
    assert status == 200
    assert described["rang_at"] > described["woken_at"] == 0


async def test_a_page_that_is_not_connected_is_not_said_to_ring(phone: Phone) -> None:
    assert (await says(phone, "/ring", {"page": "open"}))[0] == 422


async def test_a_closed_page_is_woken_and_its_receipt_and_its_owner_say_so(phone: Phone) -> None:
    assert (await says(phone, "/ring", {"page": "closed", "in_s": 0.01}))[0] == 202
    notice = await phone.notice()
    assert notice["kind"] == "proof"
    assert await phone.shows(notice["receipt"]) == 200
    assert (await says(phone, "/rang", {"page": "closed"}))[1]["woken_at"] > 0
    await phone.house.space.pushes.stop()
    (listed,) = phone.house.space.store.devices()
    assert listed.shown_at > 0


async def test_a_device_is_woken_once_however_often_its_owner_taps(phone: Phone) -> None:
    taps = [says(phone, "/ring", {"page": "closed", "in_s": 1.0}) for _ in range(3)]  # however slow each request is
    assert [status for status, _ in await asyncio.gather(*taps)] == [202] * 3
    await phone.shows((await phone.notice())["receipt"])
    assert len(phone.service.arrived) == 1


async def test_a_device_without_notifications_is_not_woken(phone: Phone) -> None:
    async with phone.house.http.delete(
        phone.house.space.url + "/api/space/push/subscription", headers=phone.headers
    ) as answer:
        assert answer.status == 200
    assert (await says(phone, "/ring", {"page": "closed"}))[0] == 422


@pytest.mark.parametrize(("path", "body"), [("", {"name": 5}), ("/ring", {"page": "ajar"}), ("/rang", {})])
async def test_what_a_page_does_not_say_is_refused(phone: Phone, path: str, body: Any) -> None:
    assert (await says(phone, path, body))[0] == 422
    assert (await says(phone, path, body, headers={}))[0] == 401


async def test_the_day_on_which_a_device_came_over_its_socket_is_noted(phone: Phone) -> None:
    assert phone.house.space.store.devices()[0].registered_on == ""
    await opens(phone, "station/1 rings/1")
    assert phone.house.space.store.devices()[0].registered_on > "2020"
