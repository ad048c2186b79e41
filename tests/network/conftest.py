"""A door, a router and a house in namespaces of their own; skipped where this machine makes none."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.network.namespaces import NamespacesUnavailableError
from tests.network.processes import Neighbourhood, neighbourhood

QUICK = 0.25
"""The recovery ladder's waits, so that giving up takes ten seconds."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def street_home(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbourhood]:
    """One for all tests of a module."""
    try:
        async with neighbourhood(tmp_path_factory.mktemp("street"), patience=QUICK, turn=True) as here:
            yield here
    except NamespacesUnavailableError as reason:
        pytest.skip(str(reason))


@pytest_asyncio.fixture(loop_scope="module")
async def here(street_home: Neighbourhood) -> AsyncIterator[Neighbourhood]:
    """The neighbourhood as it should be: registered, idle, on the cable."""
    yield street_home
    await street_home.mend()
