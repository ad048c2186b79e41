"""More sleeping phones than pushes may be under way: some are woken; the others are counted, and told in one line."""

from __future__ import annotations

import asyncio
import logging

import pytest

from intercom.space.push import pushes
from tests.space.conftest import WAIT_S, House
from tests.space.push.phone import Phone
from tests.space.push.service import PushService
from tests.space.push.test_waker import door_of, press

PHONES = 4


async def test_the_pushes_that_are_too_many_are_counted_and_cost_one_line_in_the_log(
    pushing: House, service: PushService, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pushes, "UNDER_WAY_LIMIT", 1)
    phones = [await Phone(pushing, service, f"phone-{number}").subscribe() for number in range(PHONES)]
    with caplog.at_level(logging.WARNING, pushes.__name__):
        await press(await door_of(pushing))
        woken = [asyncio.ensure_future(phone.notice()) for phone in phones]
        await asyncio.wait(woken, timeout=WAIT_S, return_when=asyncio.FIRST_COMPLETED)
    for waiting in woken:
        waiting.cancel()
    assert pushing.space.pushes.figures.dropped == PHONES - 1
    (told,) = [record.message for record in caplog.records if record.name == pushes.__name__]
    assert told.startswith("Too many pushes are under way; one to phone-")
