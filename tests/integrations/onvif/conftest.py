"""A door that is found."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integrations.onvif.found_door import FoundDoor, found_door


@pytest.fixture
async def door(tmp_path: Path) -> AsyncIterator[FoundDoor]:
    async with found_door(tmp_path) as door:
        yield door
