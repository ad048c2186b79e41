"""A door that is found by ONVIF: the real server, and what it asks of the door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from intercom.config import Config, DoorConfig, OnvifConfig, RtspConfig
from intercom.control.errors import RefusedError
from intercom.control.protocol import REFUSED
from intercom.facts import CLOSED, Fact, Pressed
from intercom.history.journal import Entry, Listener
from intercom.integrations.access import Access, Program
from intercom.integrations.onvif.server import BODY_LIMIT_S, OnvifServer
from intercom.integrations.rtsp.accounts import Accounts
from tests.door_in_memory import HOUSE

JPEG = b"\xff\xd8still\xff\xd9"
RTSP_PORT = 8554


class AccessToFacts:
    """What the server asks of the door."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.asked: list[tuple[str, Program]] = []
        self.refuses = ""

    def status(self) -> dict[str, Any]:
        return {"door": {"contact": {"state": CLOSED, "since": ""}}}

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        self.listeners.append(listener)
        return lambda: None

    async def ask(self, command: str, params: Mapping[str, Any], *, caller: Program) -> Any:
        if self.refuses:
            raise RefusedError(self.refuses, REFUSED)
        self.asked.append((command, caller))

    async def snapshot(self) -> bytes:
        return JPEG

    def tell(self, fact: Fact) -> None:
        for listener in self.listeners:
            listener(Entry(1, datetime.now(UTC), 0.0, fact))


class FoundDoor:
    """A running server, with an account for who may only watch and one for who may open."""

    def __init__(self, server: OnvifServer, access: AccessToFacts, accounts: Accounts) -> None:
        self.server = server
        self.access = access
        self.accounts = accounts
        self.viewer = accounts.add("viewer", talk=False)
        self.opener = accounts.add("opener", talk=False, opens=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}/onvif"

    def rings(self) -> None:
        self.access.tell(Pressed(HOUSE))


@asynccontextmanager
async def found_door(
    state_dir: Path,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    body_limit_s: float = BODY_LIMIT_S,
) -> AsyncIterator[FoundDoor]:
    access = AccessToFacts()
    config = Config(
        door=DoorConfig(contact_gpio=17),
        rtsp=RtspConfig(listen=f"127.0.0.1:{RTSP_PORT}", sound=True),
        onvif=OnvifConfig(listen="127.0.0.1:0"),
    )
    server = OnvifServer(config, state_dir, cast(Access, access), now=now, body_limit_s=body_limit_s)
    await server.start()
    try:
        yield FoundDoor(server, access, Accounts(state_dir))
    finally:
        await server.stop()
