"""Tells each `[[webhook]]` the facts that it wants."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from intercom.config import Config
from intercom.config.webhooks import WebhookConfig, names_of
from intercom.control.commands import Asker
from intercom.control.errors import RefusedError
from intercom.control.protocol import REFUSED
from intercom.facts import Pressed, name_of
from intercom.history.families import Family, Sample, each
from intercom.history.journal import Entry
from intercom.integrations.access import Access
from intercom.integrations.fact_documents import document
from intercom.integrations.webhooks.hook import FATES, Delivery, Hook, Look
from intercom.integrations.webhooks.sending import Sender
from intercom.tasks import TaskSet

CATCH_UP_S: Final = 20.0
"""Age of the oldest facts that are told at the start: the door starts its integrations last, and a press may be
earlier; whatever is older was told before a defect, and a bell must not ring twice."""
TEST: Final = "webhook.test"
"""Command that tries the webhooks."""


class Webhooks:
    """The webhooks of a door. Belongs to the event loop."""

    def __init__(self, entries: tuple[WebhookConfig, ...], access: Access) -> None:
        self._access = access
        self._hooks = [
            Hook(entry, name, post=Sender(entry.url, entry.certificate).post, on_attempt=self._show_faults)
            for entry, name in zip(entries, names_of(entries), strict=True)
        ]
        self._tasks = TaskSet(access.failed)

    async def start(self) -> None:
        """Begin to send; the facts of the last seconds are told as well."""
        self._access.offer(TEST, self._test)
        for entry in self._access.since(0):
            if time.monotonic() - entry.moment <= CATCH_UP_S:
                self._take(entry)
        self._access.subscribe(self._take)
        for hook in self._hooks:
            self._tasks.spawn(hook.run(), name=f"webhook {hook.name}")

    async def stop(self) -> None:
        """Stop sending; what waits is forgotten."""
        await self._tasks.stop()

    def document(self) -> Mapping[str, Any]:
        """Return what became of the deliveries of each entry."""
        return {hook.name: hook.document() for hook in self._hooks}

    def figures(self) -> list[Family]:
        """Return the figures of the deliveries; the owner of the door has named the entries."""
        total = "intercom_webhook_deliveries_total"
        fates = [
            Sample(total, {"name": hook.name, "fate": fate}, hook.fates[fate]) for hook in self._hooks for fate in FATES
        ]
        retries = [(hook.name, hook.retries) for hook in self._hooks]
        waiting = [(hook.name, len(hook)) for hook in self._hooks]
        again = "Attempts to deliver that failed and are made again."
        return [
            Family(total, "counter", "Deliveries of the webhooks, by what became of them.", fates),
            each("intercom_webhook_retries_total", "counter", again, "name", retries),
            each("intercom_webhook_waiting", "gauge", "Deliveries that wait.", "name", waiting),
        ]

    def _take(self, entry: Entry) -> None:
        kind = name_of(type(entry.fact))
        wanting = [hook for hook in self._hooks if hook.wants(kind)]
        if not wanting:
            return
        content = document(entry)
        pressed = isinstance(entry.fact, Pressed)
        picture = self._look() if pressed and any(hook.wants_picture for hook in wanting) else None
        for hook in wanting:
            hook.take(content, picture if hook.wants_picture else None)

    def _look(self) -> Look:
        """Begin to take the picture of who rings, and return what waits for it."""
        taking = self._tasks.spawn(self._picture(), name="picture for the webhooks")
        return lambda: asyncio.shield(taking)

    async def _picture(self) -> bytes | None:
        try:
            return await self._access.press_picture()
        except OSError:
            return None  # the press itself has logged why

    def _show_faults(self) -> None:
        """Report the entries that do not work as one fault; clear it when all do."""
        failing = [f"{hook.name}: {hook.fault}" for hook in self._hooks if hook.fault]
        if failing:
            self._access.broken("; ".join(failing))
        else:
            self._access.works()

    async def _test(self, _: Asker, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Send a test to the entry of this name, or to all, once; return what became of each."""
        name = params.get("name", "")
        tested = [hook for hook in self._hooks if name in ("", hook.name)]
        if not tested:
            raise RefusedError("there is no [[webhook]] of this name", REFUSED)
        picture = self._look() if any(hook.wants_picture for hook in tested) else None
        return await asyncio.gather(*(_tried(hook, picture if hook.wants_picture else None) for hook in tested))


async def _tried(hook: Hook, picture: Look | None) -> dict[str, Any]:
    began = time.monotonic()
    id_ = f"test-{secrets.token_hex(8)}"
    content = {"id": id_, "type": "test", "at": datetime.now(UTC).isoformat(timespec="milliseconds"), "data": {}}
    outcome = await hook.attempt(Delivery(id_, content, began, picture))
    took_s = round(time.monotonic() - began, 1)
    return {"name": hook.name, "arrived": outcome.arrived, "why": outcome.why, "took_s": took_s}


def build(config: Config, _state_dir: Path, access: Access) -> Webhooks:
    """Return the webhooks that this configuration asks for."""
    return Webhooks(config.webhook, access)
