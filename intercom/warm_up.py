"""What the door loads when it has time: after it is registered, before somebody presses."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from intercom import footprint

if TYPE_CHECKING:
    from intercom.appliance import Appliance

LATEST_S = 2.0
"""A service that is away keeps nobody from being called once it is back."""


async def warm_up(door: Appliance) -> None:
    """Load what a call needs, beside the event loop; then let the process settle."""
    registered = asyncio.Event()
    subscription = door.client.is_registered_stream.subscribe(lambda is_so: registered.set() if is_so else None)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(registered.wait(), LATEST_S)
    subscription.dispose()
    try:
        await asyncio.to_thread(door.media.prepare)
    finally:
        footprint.settle()
