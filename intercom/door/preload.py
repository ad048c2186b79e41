"""Load modules while the door has time: after it is registered, before somebody presses."""

from __future__ import annotations

import asyncio
import contextlib

from intercom.door.after_calls import AfterCalls
from intercom.door.replies import Replies
from intercom.history.journal import Journal
from intercom.media.camera.shared import Camera
from intercom.media.provider import DoorMedia
from intercom.service import memory
from intercom.signalwire import SignalWire

LATEST_S = 2.0
"""Limit of the wait for the registration, so that the door is warm when a missing service returns."""


async def warm_up(
    client: SignalWire, media: DoorMedia, replies: Replies, camera: Camera | None, journal: Journal
) -> None:
    """Load the modules of a call, and what the door says, on threads, and then let the process settle.

    A camera that is always on starts after that. From then on a process that is to stay small returns the memory of
    each call, for ever.
    """
    registered = asyncio.Event()
    subscription = client.is_registered_stream.subscribe(lambda is_so: registered.set() if is_so else None)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(registered.wait(), LATEST_S)
    subscription.dispose()
    try:
        await asyncio.gather(asyncio.to_thread(media.prepare), replies.prepare())
    finally:
        is_small = memory.settle()
        if camera is not None:
            camera.begin()
    if is_small:
        after_calls = AfterCalls()
        journal.subscribe(after_calls.hear)
        await after_calls.run()
