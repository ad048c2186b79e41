"""A program with a token of the API that asks for more than its token's role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from intercom.control.roles import PROGRAM_ROLES
from intercom.door.command_table import COMMANDS
from intercom.integrations.api.commands import PREFIX, offers
from tests.integrations.api.served import Served, served


@pytest_asyncio.fixture
async def api(tmp_path: Path) -> AsyncIterator[Served]:
    async with served(tmp_path) as one:
        one.stage.answers = {name: {"jpeg": ""} for name in COMMANDS}
        yield one


@pytest.mark.parametrize("role", PROGRAM_ROLES)
async def test_a_token_reaches_no_command_above_its_role(api: Served, role: str) -> None:
    for offer in offers(api.stage.access):
        if PROGRAM_ROLES.index(offer.command.role) <= PROGRAM_ROLES.index(role):
            continue
        url = api.url + offer.path.removeprefix(PREFIX)
        async with api.http.request(offer.method, url, headers=api.bearer(role)) as answer:
            assert answer.status == 403, offer.name
    assert api.stage.asked == []


async def test_only_an_opener_opens_the_door(api: Served) -> None:
    statuses = [(await api.post("/door/open", role))[0] for role in PROGRAM_ROLES]
    assert statuses == [403, 403, 200]


async def test_no_token_opens_it_in_the_name_of_an_ssh_key(api: Served) -> None:
    assert (await api.post("/door/open", "opener", {"by": "ssh root"}))[0] == 400
    assert api.stage.asked == []


async def test_no_path_leads_to_a_command_that_is_not_offered(api: Served) -> None:
    for path in ("/diagnostics", "/messages/get", "/webhook/test", "/../../etc/passwd", "/door%2fopen", "//status"):
        async with api.http.get(api.url + path, headers=api.bearer("opener")) as answer:
            assert answer.status == 404, path
