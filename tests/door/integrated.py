"""An integration for tests: it does what the test that builds it says."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from intercom.config import Config
from intercom.history.families import Family, one
from intercom.history.journal import Entry
from intercom.integrations.access import Access

built: list[Integrated] = []
"the integrations that were built, the newest last"


class Integrated:
    """An integration that hears facts."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.heard: list[Entry] = []
        self.stopped = False

    async def start(self) -> None:
        await begin(self)

    async def stop(self) -> None:
        self.stopped = True

    def document(self) -> Mapping[str, Any]:
        return {"heard": len(self.heard)}

    def figures(self) -> list[Family]:
        return [one("t_heard_total", "counter", "A test.", len(self.heard))]


async def hear(integration: Integrated) -> None:
    integration.access.subscribe(integration.heard.append)


begin: Callable[[Integrated], Awaitable[None]] = hear
"what the next ones do at their start"


def build(_config: Config, _state_dir: Path, access: Access) -> Integrated:
    built.append(Integrated(access))
    return built[-1]
