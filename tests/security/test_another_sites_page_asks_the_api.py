"""A page of another site, or a name that leads here, uses the door's API from a browser in the house."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.integrations.api.served import Served, served


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as one:
        one.stage.answers["door.open"] = {"open_s": 1.5}
        yield one


@pytest.mark.parametrize("origin", ["https://evil.example", "http://localhost:3000", "null"])
async def test_no_other_site_opens_the_door_even_with_a_token(api: Served, origin: str) -> None:
    headers = api.bearer("opener", Origin=origin)
    async with api.http.post(api.url + "/door/open", headers=headers) as answer:
        assert answer.status == 403
        assert "Access-Control-Allow-Origin" not in answer.headers
    assert api.stage.asked == []


async def test_a_name_that_leads_here_gets_no_answer(api: Served) -> None:
    async with api.http.get(api.url + "/status", headers=api.bearer("opener", Host="evil.example")) as answer:
        assert answer.status == 421
        assert "api.host_names" in (await answer.json(content_type=None))["detail"]
    assert api.stage.asked == []
