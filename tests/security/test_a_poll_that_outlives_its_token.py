"""A program's token, or a recorder's account, is taken away while it waits for the next event: it gets none."""

from __future__ import annotations

import asyncio
from pathlib import Path

from intercom.facts import Pressed
from tests.integrations.api.served import served
from tests.integrations.onvif.found_door import found_door
from tests.integrations.onvif.messages import ask, proved

LIMIT_S = 60.0
PULL = "<tev:PullMessages><tev:Timeout>PT60S</tev:Timeout><tev:MessageLimit>9</tev:MessageLimit></tev:PullMessages>"


async def test_a_removed_token_s_poll_tells_nothing(tmp_path: Path) -> None:
    async with served(tmp_path) as api:
        waiting = asyncio.create_task(api.get("/events", wait="60"))
        while not api.api._events._readers:
            await asyncio.sleep(0)
        api.tokens.remove("viewer")
        api.stage.tell(Pressed("/private/house"))
        status, content = await asyncio.wait_for(waiting, LIMIT_S)
        assert (status, "events" in content) == (401, False)


async def test_a_removed_account_s_pull_tells_nothing(tmp_path: Path) -> None:
    async with found_door(tmp_path) as door:
        _, said = await ask(door, proved("<tev:CreatePullPointSubscription/>", door.viewer), "events")
        path = said.partition("/onvif/")[2].partition("<")[0]
        assert (await ask(door, proved(PULL, door.viewer), path))[0] == 200, "it begins with what is now"
        waiting = asyncio.create_task(ask(door, proved(PULL, door.viewer), path))
        (subscription,) = door.server._inputs._subscriptions.values()
        while subscription.arrived.is_set():
            await asyncio.sleep(0)
        door.accounts.remove("viewer")
        door.rings()
        status, said = await asyncio.wait_for(waiting, LIMIT_S)
        assert (status, "NotificationMessage>" in said) == (401, False)
