"""A camera that is always on, in a whole door."""

from __future__ import annotations

import asyncio
from pathlib import Path

from intercom.config import AudioConfig, CallConfig, CameraConfig
from tests.e2e.home import Home, home_config


async def test_a_door_whose_camera_is_always_on_has_its_picture_before_anybody_asks(tmp_path: Path) -> None:
    camera = CameraConfig(source="pattern", always_on=True)
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), camera=camera, call=CallConfig(video=False)))
    await home.start()
    try:
        door = home.door
        assert door is not None
        assert door.camera is not None
        await home.wait_for(lambda: door.camera is not None and door.camera.is_running, "the camera runs")
        async with asyncio.timeout(60):
            with door.camera.frames() as frames:
                assert (await frames.next()).keyframe
    finally:
        await home.stop()
    await home.wait_for(lambda: door.camera is not None and not door.camera.is_running, "the camera has stopped")
