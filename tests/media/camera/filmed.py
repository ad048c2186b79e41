"""A camera that a test films with, and what a camera tells."""

from __future__ import annotations

import asyncio
import queue
import threading

from intercom.media.camera.events import CameraEvent
from intercom.media.camera.source import Deliver
from intercom.media.codec.h264 import AccessUnit

LIMIT_S = 60.0
"""Limit of every wait for what must come, however busy the machine is."""


class FilmedSource:
    """A camera that the test films with: pictures, failures and hangs come when the test says so."""

    name = "filmed"
    description = "a camera in a test"
    bitrate_bps = 1_000_000
    processor_share = 0.25

    def __init__(self) -> None:
        self.script: queue.Queue[AccessUnit | Exception] = queue.Queue()
        self.running = threading.Event()
        self.began = threading.Semaphore(0)
        self.runs = 0
        self.keyframe_requests = 0
        self.asked = threading.Event()
        "set by the first request for a keyframe"
        self._time = 0

    def run(self, deliver: Deliver, stopping: threading.Event) -> None:
        self.runs += 1
        self.began.release()
        self.running.set()
        try:
            while not stopping.is_set():
                try:
                    item = self.script.get(timeout=0.01)
                except queue.Empty:
                    continue
                if isinstance(item, Exception):
                    raise item
                deliver(item)
        finally:
            self.running.clear()

    def film(self, *, keyframe: bool = False) -> AccessUnit:
        self._time += 3600
        unit = AccessUnit(b"picture", self._time, keyframe)
        self.script.put(unit)
        return unit

    def request_keyframe(self) -> None:
        self.keyframe_requests += 1
        self.asked.set()

    def set_bitrate(self, bitrate_bps: int) -> None:
        self.bitrate_bps = bitrate_bps

    def snapshot(self) -> bytes:
        return b"jpeg"


class Told:
    """The events that a camera told, to wait for."""

    def __init__(self) -> None:
        self.events: list[CameraEvent] = []
        self._changed = threading.Condition()

    def __call__(self, event: CameraEvent) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    async def wait_for(self, kind: type[CameraEvent]) -> CameraEvent:
        def find() -> CameraEvent | None:
            return next((event for event in self.events if isinstance(event, kind)), None)

        def wait() -> CameraEvent:
            with self._changed:
                assert self._changed.wait_for(find, LIMIT_S), f"no {kind.__name__} in {self.events}"
                found = find()
                assert found is not None
                return found

        return await asyncio.to_thread(wait)


def camera_threads() -> set[threading.Thread]:
    """All threads of cameras, also those that the tests before left to end by themselves."""
    return {thread for thread in threading.enumerate() if thread.name.startswith("camera")}


async def have_ended(threads: set[threading.Thread]) -> None:
    """Check that these threads end: whoever joins the camera's own may be a moment before its source's."""
    for thread in threads:
        await asyncio.to_thread(thread.join, LIMIT_S)
    assert not [thread for thread in threads if thread.is_alive()]


async def happens(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, LIMIT_S)
