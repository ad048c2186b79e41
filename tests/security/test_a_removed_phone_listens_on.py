"""A phone that was lost and removed while the door rang: nobody tells it any more what happens at the house."""

from __future__ import annotations

import asyncio
from pathlib import Path

from intercom.space import Membership
from tests.space.conftest import WAIT_S, House, configure
from tests.space.push.conftest import phone, pushing, service
from tests.space.push.phone import Phone
from tests.space.push.service import PushService
from tests.space.push.test_waker import door_of, press

__all__ = ["configure", "phone", "pushing", "service"]


async def remove(house: House, directory: Path) -> None:
    """Remove the phone by a command, and wait until the running space has noticed."""
    with Membership(directory / "state") as members:
        members.remove("phone")
    async with asyncio.timeout(WAIT_S):
        while house.space.store.subscriber("phone") is not None:
            await asyncio.sleep(0.05)


async def test_a_phone_that_is_removed_while_it_rings_does_not_learn_how_it_ended(
    pushing: House, phone: Phone, service: PushService, tmp_path: Path
) -> None:
    kept = await Phone(pushing, service, "kept").subscribe()
    door = await door_of(pushing)
    mine = await press(door)
    await phone.notice()
    await kept.notice()
    await remove(pushing, tmp_path)
    await door.verto("verto.bye", mine, cause="ORIGINATOR_CANCEL")
    await kept.notice(2)
    assert [push.path for push in service.arrived].count("/phone") == 1


async def test_a_removed_phones_secret_turns_no_notifications_on(
    pushing: House, phone: Phone, service: PushService, tmp_path: Path
) -> None:
    await remove(pushing, tmp_path)
    for path in ("push/subscription", "push/test"):
        body = phone.keys.subscription(service.endpoint("phone"))
        async with pushing.http.post(
            f"{pushing.space.url}/api/space/{path}", json=body, headers=phone.headers
        ) as answer:
            assert answer.status == 401
