"""Takes the receipts of pushes: the worker of a device says that it showed one, by a secret that came with it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

RECEIPT_BYTES: Final = 24
"""Length of a receipt's secret: 192 bits cannot be guessed."""
AWAITED_LIMIT: Final = 512
"""Limit of receipts that are waited for; beyond it the oldest is not waited for any more."""


@dataclass(slots=True)
class Awaited:
    """A push whose receipt is waited for."""

    device: str
    "The device, as subscriptions name it."
    tag: str
    "The ring."
    sent_at: float
    "Time of sending, monotonic seconds."
    shown: asyncio.Event = field(default_factory=asyncio.Event)
    "Set once the device has shown it."
    took_s: float = 0.0
    "Time from sending to the receipt; meaningful once it is shown."


class Receipts:
    """The receipts that are waited for.

    :param now: monotonic seconds.
    """

    def __init__(self, *, now: Callable[[], float]) -> None:
        self._now = now
        self._awaited: dict[str, Awaited] = {}

    def expect(self, device: str, tag: str) -> tuple[str, Awaited]:
        """Return the secret of a push that is about to be sent, and what tells when it was shown."""
        while len(self._awaited) >= AWAITED_LIMIT:
            del self._awaited[next(iter(self._awaited))]
        receipt, awaited = secrets.token_urlsafe(RECEIPT_BYTES), Awaited(device, tag, self._now())
        self._awaited[receipt] = awaited
        return receipt, awaited

    def take(self, receipt: str) -> Awaited | None:
        """Take a receipt, which serves once; return its push, or None when it is no receipt of ours."""
        awaited = self._awaited.pop(receipt, None)
        if awaited is not None:
            awaited.took_s = self._now() - awaited.sent_at
            awaited.shown.set()
        return awaited
