"""A running space whose phones have a push service on this machine."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from intercom.config import SpaceConfig
from tests.space.conftest import House, house_with
from tests.space.push.phone import Phone
from tests.space.push.service import PushService, push_service


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    """The push service."""
    async with push_service() as running:
        yield running


@pytest.fixture
async def pushing(tmp_path: Path, configure: Callable[..., SpaceConfig], service: PushService) -> AsyncIterator[House]:
    """A space that the owner lets push to that service."""
    async with house_with(configure(push_servers=(service.authority,)), tmp_path / "state") as running:
        yield running


@pytest.fixture
async def phone(pushing: House, service: PushService) -> Phone:
    """A phone that is rung by push."""
    return await Phone(pushing, service, "phone").subscribe()
