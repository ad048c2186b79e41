"""A service in memory, and a client that is registered with it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from intercom.signalwire import SignalWire
from tests.signalwire.media import ScriptedMedia
from tests.signalwire.service import Service, Tokens


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def media() -> ScriptedMedia:
    return ScriptedMedia()


@pytest.fixture
async def client(service: Service, media: ScriptedMedia) -> AsyncIterator[SignalWire]:
    async with SignalWire(Tokens(), media=media, options=service.options()) as client:
        await client.register()
        yield client
