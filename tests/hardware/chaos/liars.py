"""The house's other systems in a chaos run: a broker, a receiver of webhooks and viewers, which lie at times."""

from __future__ import annotations

import asyncio
import contextlib
import random
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

from intercom.integrations.rtsp.accounts import Accounts
from tests.hardware.house import House
from tests.integrations.mqtt.mosquitto import PATH, mosquitto
from tests.liars.broker import BrokerLie, LyingBroker
from tests.liars.receiver import LyingReceiver, ReceiverLie
from tests.liars.viewers import LyingViewers, ViewerLie

from .plan import Mishap
from .wires import HOUSE, Cable

RTSP_PORT, MQTT_PORT, WEBHOOK_PORT = 8554, 1883, 8080
TABLES = f"""
[mqtt]
url = "mqtt://{HOUSE}:{MQTT_PORT}"
id = "gate"
[[webhook]]
url = "http://{HOUSE}:{WEBHOOK_PORT}/hook"
picture = true
[rtsp]
listen = "0.0.0.0:{RTSP_PORT}"
sound = true
"""
"""What the door's configuration says of them."""


class Liars:
    """All of them."""

    def __init__(self, broker: LyingBroker, receiver: LyingReceiver, viewers: LyingViewers) -> None:
        self._broker = broker
        self._receiver = receiver
        self._viewers = viewers

    async def do(self, mishap: Mishap) -> None:
        """Let the liar of this mishap lie for as long as it lasts."""
        lie = mishap.kind.lie
        if isinstance(lie, BrokerLie):
            await self._broker.tell(lie)
            await asyncio.sleep(mishap.lasts_s)
            await self._broker.tell(None)
        elif isinstance(lie, ReceiverLie):
            await self._receiver.tell(lie)
            await asyncio.sleep(mishap.lasts_s)
            await self._receiver.tell(None)
        elif isinstance(lie, ViewerLie):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(mishap.lasts_s):
                    await self._viewers.lie(lie, random.Random(mishap.seed))


@contextlib.asynccontextmanager
async def liars(house: House, cable: Cable, folder: Path) -> AsyncIterator[Liars]:
    """The house's other systems, on good terms with the door. The broker is mosquitto where there is one."""
    account = Accounts(house.state_dir).add("liar", talk=False)
    viewers = LyingViewers(
        rtsp=lambda: (cable.door, RTSP_PORT),
        account=account,
        whep=f"https://{HOUSE}:8443/whep/door",
        token=house.space().store.viewers.add("liar", talks=False),
    )
    async with contextlib.AsyncExitStack() as stack:
        behind = 0
        if shutil.which("mosquitto", path=PATH) is not None:
            behind = (await stack.enter_async_context(mosquitto(folder / "mosquitto"))).port
        broker = LyingBroker(HOUSE, MQTT_PORT, behind=behind)
        receiver = LyingReceiver(HOUSE, WEBHOOK_PORT)
        for server in (broker, receiver):
            await server.start()
            stack.push_async_callback(server.stop)
        yield Liars(broker, receiver, viewers)
