"""A friend of whoever was just removed shows wrong secrets at once: the removed phone and viewer go all the same."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from intercom.space import Membership
from tests.space.conftest import OFFER, WAIT_S
from tests.space.http.test_viewer_api import Street, street

__all__ = ["street"]

WRONG = {
    "a viewer's token": ("/whep/door", {"data": OFFER}),
    "a device's secret": ("/api/space/token", {}),
    "a pairing code": ("/api/space/pair", {"json": {"code": "AAAA-BBBB-CCCC", "name": "Phone"}}),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_secret_shown_right_after_a_removal_hides_it_from_nobody(
    street: Street, tmp_path: Path, what: str
) -> None:
    house = street.house
    house.space.store.add_device(house.space.store.add_subscriber("phone", groups=("house",)), "Phone")
    phone = await house.station("phone")
    _, asked = await street.whep()
    path, body = WRONG[what]
    more: dict[str, Any] = {**body, "headers": street.headers("wrong") if "json" not in body else {}}
    with Membership(tmp_path / "state") as members:
        members.viewers.remove("frigate")
        members.remove("phone")
    async with house.http.post(street.url + path, **more) as answer:
        assert answer.status in {401, 403, 404}
    assert (await street.hears("intercom.view.end"))["view"] == asked["view"]
    await asyncio.wait_for(phone.reader, WAIT_S)
    assert phone.socket.close_code == 1008
