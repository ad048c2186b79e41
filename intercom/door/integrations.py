"""Builds, starts and stops the integrations that the configuration names; none of them can end the door or delay it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from intercom.config import Config
from intercom.door.health.faults import Part
from intercom.door.health.supervisor import Restart
from intercom.history.families import Family
from intercom.integrations.access import Access, Build, Integration
from intercom.opening.decision import Way
from intercom.tasks import TaskSet, bounded

START_S = 20.0
"""Limit of an integration's start; a slow card takes seconds to read a library."""
STOP_S = 0.5
"""Limit of an integration's stop, less than that of a part: all of them stop side by side."""


class Row(NamedTuple):
    """One integration that the door knows."""

    part: Part
    """Its name, and the kind of its fault."""
    is_on: Callable[[Config], bool]
    """Whether the configuration asks for it."""
    package: str
    """Package with its `build`, imported only when it is on."""


TABLE: tuple[Row, ...] = (
    Row(Part.RTSP, lambda config: bool(config.rtsp.listen), "intercom.integrations.rtsp"),
    Row(Part.MQTT, lambda config: bool(config.mqtt.url), "intercom.integrations.mqtt"),
    Row(Part.ONVIF, lambda config: bool(config.onvif.listen), "intercom.integrations.onvif"),
    Row(Part.API, lambda config: bool(config.api.listen), "intercom.integrations.api"),
    Row(Part.WEBHOOKS, lambda config: bool(config.webhook), "intercom.integrations.webhooks"),
)
"""Every integration."""


def programs(config: Config) -> frozenset[Way]:
    """Return the ways by which the configuration lets other systems of the house open the door."""
    asked = {
        Way.MQTT: bool(config.mqtt.url) and config.mqtt.may_open,
        # Of a recorder's accounts, only those to which the owner has given this right ask for the door.
        Way.ONVIF: bool(config.onvif.listen),
        # Of the API's tokens, only those that the owner has made with the role of an opener do.
        Way.API: bool(config.api.listen),
    }
    return frozenset(way for way, may in asked.items() if may)


class Integrations:
    """The integrations of a door. Belongs to the event loop."""

    def __init__(
        self,
        config: Config,
        state_dir: Path,
        *,
        access: Callable[[Part], Access],
        on_failure: Callable[[Part, BaseException], None],
        table: Iterable[Row] = TABLE,
    ) -> None:
        """`access` gives an integration the door; `on_failure` takes its failures, and asks for its restart."""
        self._config = config
        self._state_dir = state_dir
        self._access = access
        self._on_failure = on_failure
        self._rows = {row.part: row for row in table if row.is_on(config)}
        self._running: dict[Part, tuple[Integration, Access]] = {}
        self._locks = {part: asyncio.Lock() for part in self._rows}
        "locks for one start at a time, also when an integration fails while it starts"
        self._starting = TaskSet()

    def restarts(self) -> dict[Part, Restart]:
        """Return what starts each integration again after a failure."""
        return {part: partial(self._restart, part) for part in self._rows}

    def start(self) -> None:
        """Start the integrations, after all that a visitor would notice."""
        for part in self._rows:
            self._starting.spawn(self._restart(part), name=f"start {part}", on_failure=partial(self._on_failure, part))

    async def stop(self) -> None:
        """Stop the integrations, side by side."""
        await self._starting.stop(STOP_S)
        await asyncio.gather(*map(self._end, tuple(self._running)))

    def document(self) -> dict[str, Any]:
        """Return what the status says of each integration that runs."""
        return {part.value: dict(integration.document()) for part, (integration, _) in self._running.items()}

    def figures(self) -> list[Family]:
        """Return the figures of each integration that runs."""
        running = [self._running[part][0] for part in self._rows if part in self._running]
        return [family for integration in running for family in integration.figures()]

    async def _restart(self, part: Part) -> None:
        async with self._locks[part]:
            await self._end(part)
            await self._begin(self._rows[part])

    async def _begin(self, row: Row) -> None:
        part = row.part
        # The first import reads libraries from the card: not on the thread that carries the calls.
        package = await asyncio.to_thread(import_module, row.package)
        build: Build = package.build
        access = self._access(part)
        integration = build(self._config, self._state_dir, access)
        self._running[part] = integration, access
        try:
            async with asyncio.timeout(START_S):
                await integration.start()
        except TimeoutError:
            await self._end(part)
            raise TimeoutError(f"it did not start within {START_S:g} s") from None
        except Exception:
            await self._end(part)
            raise

    async def _end(self, part: Part) -> None:
        running = self._running.pop(part, None)
        if running is not None:
            integration, access = running
            access.close()
            await bounded(part.words, integration.stop(), STOP_S)
