"""A device's page tells the house where it is woken: once for each device, gone with it."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space import Membership
from intercom.space.errors import SubscriptionError
from intercom.space.push.subscriptions import Subscriptions
from intercom.space.store.database import Database
from intercom.space.store.store import DATABASE, Store
from tests.space.conftest import House
from tests.space.push.browser_keys import BrowserKeys

ENDPOINT = "https://push.example.net/wpush/v2/abc"


async def device(house: House, name: str, kind: Any = "resident") -> dict[str, str]:
    """The headers of a new device of the house."""
    subscriber = house.space.store.add_subscriber(name, groups=("house",), kind=kind)
    return {"Authorization": f"Bearer {house.space.store.add_device(subscriber, name)}"}


async def subscribe(house: House, headers: dict[str, str], body: Any) -> tuple[int, str]:
    """Subscribe; return the status and what is said."""
    url = house.space.url + "/api/space/push/subscription"
    async with house.http.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.text()


async def state(house: House, headers: dict[str, str]) -> dict[str, Any]:
    """What the house knows of the device's subscription."""
    async with house.http.get(house.space.url + "/api/space/push", headers=headers) as answer:
        assert answer.status == 200
        known: dict[str, Any] = await answer.json()
        return known


async def test_a_device_subscribes_and_the_list_of_devices_says_so(house: House) -> None:
    kitchen = await device(house, "kitchen")
    assert (await subscribe(house, kitchen, BrowserKeys().subscription(ENDPOINT)))[0] == 201
    known = await state(house, kitchen)
    assert known == {"key": house.space.pushes.vapid.public_key, "endpoint": ENDPOINT}
    (listed,) = house.space.store.devices()
    assert (listed.push, listed.shown_at, listed.push_trouble) == (True, 0.0, "")


async def test_a_second_subscription_of_a_device_replaces_the_first(house: House) -> None:
    kitchen = await device(house, "kitchen")
    for endpoint in (ENDPOINT, ENDPOINT + "2"):
        await subscribe(house, kitchen, BrowserKeys().subscription(endpoint))
    assert (await state(house, kitchen))["endpoint"] == ENDPOINT + "2"


async def test_a_browser_that_pairs_again_is_woken_as_its_new_device_alone(house: House) -> None:
    before, now = await device(house, "before"), await device(house, "now")
    for headers in (before, now):
        assert (await subscribe(house, headers, BrowserKeys().subscription(ENDPOINT)))[0] == 201
    assert [(d.name, d.push) for d in house.space.store.devices()] == [("before", False), ("now", True)]


async def change(house: House, former: dict[str, Any], now: dict[str, Any]) -> int:
    """Say as a worker does that the browser has changed its subscription; return the status."""
    body = {"former": {"endpoint": former["endpoint"], "auth": former["keys"]["auth"]}, "subscription": now}
    async with house.http.post(house.space.url + "/api/space/push/changed", json=body) as answer:
        return answer.status


async def test_a_worker_whose_page_is_closed_brings_its_new_subscription(house: House) -> None:
    kitchen, before = await device(house, "kitchen"), BrowserKeys().subscription(ENDPOINT)
    await subscribe(house, kitchen, before)
    now = BrowserKeys().subscription(ENDPOINT + "2")
    assert await change(house, before, now) == 200
    assert (await state(house, kitchen))["endpoint"] == ENDPOINT + "2"
    assert await change(house, before, now) == 401, "the former one is worth nothing any more"


@pytest.mark.parametrize("known", ["the endpoint", "nothing"])
async def test_nobody_else_takes_a_devices_pushes_to_themselves(house: House, known: str) -> None:
    kitchen = await device(house, "kitchen")
    await subscribe(house, kitchen, BrowserKeys().subscription(ENDPOINT))
    guessed = BrowserKeys().subscription(ENDPOINT if known == "the endpoint" else ENDPOINT + "3")
    assert await change(house, guessed, BrowserKeys().subscription(ENDPOINT + "2")) == 401
    assert (await state(house, kitchen))["endpoint"] == ENDPOINT


async def test_a_changed_subscription_aims_at_push_services_alone(house: House) -> None:
    kitchen, before = await device(house, "kitchen"), BrowserKeys().subscription(ENDPOINT)
    await subscribe(house, kitchen, before)
    assert await change(house, before, BrowserKeys().subscription("https://192.168.1.1/")) == 422
    assert (await state(house, kitchen))["endpoint"] == ENDPOINT


async def test_a_device_that_wants_no_pushes_any_more_is_forgotten(house: House) -> None:
    kitchen = await device(house, "kitchen")
    await subscribe(house, kitchen, BrowserKeys().subscription(ENDPOINT))
    url = house.space.url + "/api/space/push/subscription"
    async with house.http.delete(url, headers=kitchen) as answer:
        assert answer.status == 200
    assert (await state(house, kitchen))["endpoint"] == ""


async def test_a_subscription_goes_with_its_device(house: House, tmp_path: Path) -> None:
    kitchen = await device(house, "kitchen")
    await subscribe(house, kitchen, BrowserKeys().subscription(ENDPOINT))
    with Membership(tmp_path / "state") as members:
        members.remove("kitchen")
    with sqlite3.connect(tmp_path / "state" / DATABASE) as db:
        assert db.execute("SELECT count(*) FROM subscriptions").fetchone() == (0,)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer guessed"}])
async def test_a_stranger_subscribes_nothing_and_learns_nothing(house: House, headers: dict[str, str]) -> None:
    assert await subscribe(house, headers, BrowserKeys().subscription(ENDPOINT)) == (401, "")
    async with house.http.get(house.space.url + "/api/space/push", headers=headers) as answer:
        assert (answer.status, await answer.text()) == (401, "")


async def test_a_door_is_not_rung_by_push(house: House) -> None:
    door = await device(house, "door", kind="door")
    status, said = await subscribe(house, door, BrowserKeys().subscription(ENDPOINT))
    assert status == 403
    assert "residents" in said


@pytest.mark.parametrize(
    "broken",
    [
        {},
        [],
        {"endpoint": ENDPOINT},
        {"endpoint": ENDPOINT, "keys": {"p256dh": "AAAA", "auth": "AAAA"}},
        {"endpoint": ENDPOINT, "keys": {"p256dh": "B" * 5000, "auth": "A" * 22}},
    ],
)
async def test_a_subscription_that_is_none_is_refused_and_the_last_one_stays(house: House, broken: Any) -> None:
    kitchen = await device(house, "kitchen")
    await subscribe(house, kitchen, BrowserKeys().subscription(ENDPOINT))
    assert (await subscribe(house, kitchen, broken))[0] == 422
    assert (await state(house, kitchen))["endpoint"] == ENDPOINT


@given(st.text(max_size=200), st.text(max_size=200))
def test_keys_that_are_none_are_refused_whatever_they_are(p256dh: str, auth: str) -> None:
    subscriptions = Subscriptions(Database.__new__(Database))
    with pytest.raises(SubscriptionError):
        subscriptions.keep("secret", ENDPOINT, p256dh, auth)


def test_a_subscription_of_one_device_is_found_by_its_owner(tmp_path: Path) -> None:
    store = Store(tmp_path / DATABASE, now=lambda: 1.8e9)
    anna, ben = (store.add_subscriber(name, name.title()) for name in ("anna", "ben"))
    for owner in (anna, ben):
        sent = BrowserKeys().subscription(f"{ENDPOINT}/{owner.reference}")
        store.subscriptions.keep(store.add_device(owner, owner.reference), sent["endpoint"], **sent["keys"])
    (found,) = store.subscriptions.of_subscribers([anna.id, "nobody"])
    assert (found.name, found.endpoint) == ("Anna", f"{ENDPOINT}/anna")
    store.subscriptions.note({found.device: 5.0}, {found.device: "it was refused"})
    assert [(d.shown_at, d.push_trouble) for d in store.devices()] == [(5.0, "it was refused"), (0.0, "")]
    store.subscriptions.remove(found.device, endpoint="another")
    assert store.subscriptions.of_device(found.device) == found
    store.subscriptions.remove(found.device, endpoint=found.endpoint)
    assert store.subscriptions.of_device(found.device) is None
