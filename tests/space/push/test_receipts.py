"""A device proves that it showed a push, by a secret that came with it."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from intercom.space.http import push_api
from intercom.space.push import pushes
from intercom.space.push.receipts import AWAITED_LIMIT, Receipts
from tests.space.push.phone import Phone
from tests.space.push.service import never, says


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give devices and services the time of a busy machine."""
    monkeypatch.setattr(push_api, "TEST_LIMIT_S", 60.0)


async def test_a_test_rings_the_device_and_tells_its_page_how_soon_it_was_shown(phone: Phone) -> None:
    tested = asyncio.create_task(phone.test())
    notice = await phone.notice()
    assert (notice["kind"], notice["tag"]) == ("test", "test")
    assert await phone.shows(notice["receipt"]) == 200
    told = await tested
    assert (told["status"], told["fate"], told["told"]) == (200, "accepted", "")
    assert told["shown_ms"] >= 0


async def test_a_receipt_serves_once_and_no_other_is_taken(phone: Phone) -> None:
    tested = asyncio.create_task(phone.test())
    receipt = (await phone.notice())["receipt"]
    assert [await phone.shows(text) for text in (receipt, receipt, "guessed", "")] == [200, 401, 401, 401]
    await tested


async def test_a_device_that_shows_nothing_is_said_to_show_nothing(
    phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_api, "TEST_LIMIT_S", 0.5)
    told = await phone.test()
    assert (told["status"], told["shown_ms"]) == (200, None)


async def test_a_push_service_that_refuses_is_named_on_the_page_and_in_the_list_of_devices(phone: Phone) -> None:
    phone.service.answers = [says(403)]
    told = await phone.test()
    assert (told["fate"], told["told"]) == ("refused", "the push service says 403 Forbidden")
    await phone.house.space.pushes.stop()
    (listed,) = phone.house.space.store.devices()
    assert "403" in listed.push_trouble


async def test_a_subscription_that_its_service_forgot_is_deleted(phone: Phone) -> None:
    phone.service.answers = [says(410)]
    assert (await phone.test())["fate"] == "gone"
    assert [listed.push for listed in phone.house.space.store.devices()] == [False]
    assert (await phone.test())["status"] == 422


async def test_one_device_is_tested_once_at_a_time(phone: Phone) -> None:
    phone.service.answers = [never]
    tested = asyncio.create_task(phone.test())
    await phone.service.push(1)
    assert (await phone.test())["status"] == 422
    tested.cancel()


async def test_the_last_receipt_is_kept_over_a_restart(phone: Phone) -> None:
    tested = asyncio.create_task(phone.test())
    await phone.shows((await phone.notice())["receipt"])
    await tested
    await phone.house.space.pushes.stop()
    (listed,) = phone.house.space.store.devices()
    assert listed.shown_at > 0
    assert listed.push_trouble == ""


async def test_pushes_without_number_are_not_all_sent(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushes, "UNDER_WAY_LIMIT", 0)
    monkeypatch.setattr(push_api, "TEST_LIMIT_S", 0.1)
    await phone.test()
    assert phone.house.space.pushes.figures.dropped == 1


async def test_prometheus_reads_what_became_of_all_pushes(phone: Phone) -> None:
    tested = asyncio.create_task(phone.test())
    await phone.shows((await phone.notice())["receipt"])
    await tested
    async with asyncio.timeout(60):  # the device may be quicker than its service's answer
        while not phone.house.space.pushes.figures.fates["accepted"]:
            await asyncio.sleep(0.01)
    url = phone.house.space.url + "/api/space/push/figures"
    async with phone.house.http.get(url, headers=phone.headers) as answer:
        samples = {
            (sample.name, sample.labels.get("fate", "")): sample.value
            for family in text_string_to_metric_families(await answer.text())
            for sample in family.samples
        }
    assert samples["intercom_push_total", "accepted"] == 1
    assert samples["intercom_push_total", "gone"] == 0
    assert samples["intercom_push_shown_seconds_count", ""] == 1
    async with phone.house.http.get(url) as answer:
        assert answer.status == 401


def test_receipts_without_number_are_not_all_waited_for() -> None:
    receipts = Receipts(now=lambda: 0.0)
    first, *_, last = [receipts.expect("device", "ring")[0] for _ in range(AWAITED_LIMIT + 1)]
    assert receipts.take(first) is None
    assert receipts.take(last) is not None
