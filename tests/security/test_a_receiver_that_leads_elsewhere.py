"""A receiver of a webhook that redirects the door to another machine, or answers without end."""

from __future__ import annotations

from intercom.config import WebhookConfig
from intercom.door.health.faults import Part
from intercom.facts import Pressed
from tests.integrations.stage import Stage
from tests.integrations.webhooks.receiver import receiver
from tests.integrations.webhooks.test_webhooks import webhooks


async def test_no_redirect_is_followed() -> None:
    stage = Stage(Part.WEBHOOKS)
    async with receiver() as taker:
        taker.statuses = [302]
        async with webhooks(stage, WebhookConfig(url=taker.url)):
            stage.tell(Pressed("/private/house"), Pressed("/private/hall"))
            await taker.next()
            assert (await taker.next()).content["data"]["address"] == "/private/hall"
        assert taker.received.empty()
