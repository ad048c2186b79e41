"""A camera that the test films with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from intercom.media.camera import shared
from intercom.media.camera.shared import Camera
from tests.media.camera.filmed import LIMIT_S, FilmedSource, Told


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for a snapshot for as long as a busy machine needs."""
    monkeypatch.setattr(shared, "SNAPSHOT_S", LIMIT_S)


@pytest.fixture
def source() -> FilmedSource:
    return FilmedSource()


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def camera(source: FilmedSource, told: Told) -> AsyncIterator[Camera]:
    camera = Camera(source, on_event=told, stall_s=30, start_s=30, retry_s=0.02, linger_s=0.02)
    yield camera
    await asyncio.to_thread(camera.stop)
