"""Those who look through a door's camera, in a process of their own: what they cost is not measured."""

from __future__ import annotations

import asyncio
import multiprocessing
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

from intercom.media.codec.h264 import VIDEO_CLOCK_HZ
from intercom.media.rtp.hooks import take_packets
from tests.media.viewers.far_end import FarEnd


@asynccontextmanager
async def watchers(count: int, admit: Callable[[str], Awaitable[str]]) -> AsyncIterator[None]:
    """Let so many watch, until the context ends; `admit` gives the answer to the offer of one."""
    ours, theirs = multiprocessing.Pipe()
    watching = multiprocessing.get_context("spawn").Process(target=_watch, args=(theirs, count), daemon=True)
    watching.start()
    theirs.close()  # so that its end is heard here
    try:
        for _ in range(count):
            offer = await asyncio.to_thread(ours.recv)
            ours.send(await admit(offer))
        await asyncio.to_thread(ours.recv)
        yield
    finally:
        watching.terminate()


def _watch(pipe: Connection, count: int) -> None:
    """Be so many viewers, until killed."""

    async def watch() -> None:
        far_ends = [FarEnd("video/H264") for _ in range(count)]
        for far_end in far_ends:  # to decode their pictures would keep the machine from what is measured
            take_packets(far_end.track, lambda packet, age_s: None, lambda payload_type: VIDEO_CLOCK_HZ)
        for far_end in far_ends:
            pipe.send(await far_end.offer())
            await far_end.accept(await asyncio.to_thread(pipe.recv))
        pipe.send("all are connected")
        await asyncio.Event().wait()

    asyncio.run(watch())
