"""A phone of the house whose page is closed: its browser takes pushes from a service on this machine."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from tests.space.conftest import House
from tests.space.push.browser_keys import BrowserKeys
from tests.space.push.service import PushService
from tests.space.push.test_subscriptions import device, subscribe


@dataclass
class Phone:
    """One phone."""

    house: House
    service: PushService
    name: str
    headers: dict[str, str] = field(default_factory=dict)
    keys: BrowserKeys = field(default_factory=BrowserKeys)

    async def subscribe(self) -> Phone:
        """Pair, and turn notifications on."""
        self.headers = await device(self.house, self.name)
        status, said = await subscribe(
            self.house, self.headers, self.keys.subscription(self.service.endpoint(self.name))
        )
        assert status == 201, said
        return self

    async def notice(self, count: int = 1) -> dict[str, Any]:
        """The push number `count`, as its worker reads it."""
        arrived = await self.service.push(count, f"/{self.name}")
        read: dict[str, Any] = json.loads(self.keys.read(arrived.body))
        return read

    async def shows(self, receipt: str) -> int:
        """Send a receipt as the worker does; return the status."""
        url = self.house.space.url + "/api/space/push/shown"
        async with self.house.http.post(url, json={"receipt": receipt}) as answer:
            return answer.status

    async def test(self) -> dict[str, Any]:
        """Tap "Test" on the page; return what it is told."""
        async with self.house.http.post(self.house.space.url + "/api/space/push/test", headers=self.headers) as answer:
            told: dict[str, Any] = await answer.json()
            return told | {"status": answer.status}
