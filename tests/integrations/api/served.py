"""An API that is served, and programs with a token of each role."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from intercom.config import ApiConfig
from intercom.control.roles import PROGRAM_ROLES
from intercom.door.health.faults import Part
from intercom.integrations.api.api import Api
from intercom.integrations.tokens import FILE, Tokens
from tests.integrations.stage import Stage

PREFIX = "/api/v1"
WAIT = aiohttp.ClientTimeout(total=60)


class Served:
    """A served API and its clients."""

    def __init__(self, api: Api, stage: Stage, tokens: Tokens, http: aiohttp.ClientSession) -> None:
        self.api = api
        self.stage = stage
        self.tokens = tokens
        self.http = http
        self.url = f"http://localhost:{api.port}{PREFIX}"
        self.token_of = {role: tokens.add(role, role) for role in PROGRAM_ROLES}

    def bearer(self, role: str, **headers: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token_of[role]}", **headers}

    async def get(self, path: str, role: str = "viewer", **query: str) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        async with self.http.get(self.url + path, params=query, headers=self.bearer(role)) as answer:
            return answer.status, await answer.json(content_type=None)

    async def post(self, path: str, role: str = "operator", content: Any = None) -> tuple[int, Any]:
        """Return the status and the JSON of an answer."""
        async with self.http.post(self.url + path, json=content, headers=self.bearer(role)) as answer:
            return answer.status, await answer.json(content_type=None)


@asynccontextmanager
async def served(tmp_path: Path, *, heartbeat_s: float = 15.0, **settings: Any) -> AsyncIterator[Served]:
    """Serve an API on a port of this machine."""
    stage = Stage(Part.API)
    config = ApiConfig(**{"listen": "127.0.0.1:0", **settings})
    api = Api(config, tmp_path, stage.access, heartbeat_s=heartbeat_s)
    await api.start()
    try:
        async with aiohttp.ClientSession(timeout=WAIT) as http:
            yield Served(api, stage, Tokens(tmp_path / FILE), http)
    finally:
        stage.access.close()
        await api.stop()
