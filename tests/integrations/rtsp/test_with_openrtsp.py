"""live555's client (openRTSP), from which many recorders are made; where the machine has it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integrations.rtsp.watched_door import LIMIT_S, WatchedDoor

pytestmark = pytest.mark.skipif(
    shutil.which("openRTSP") is None, reason="openRTSP is not here: Debian 12 has no livemedia-utils"
)


@pytest.mark.parametrize("options", [["-t"], []], ids=["by TCP", "by UDP"])
async def test_it_writes_the_picture_to_a_file(door: WatchedDoor, tmp_path: Path, options: list[str]) -> None:
    command = ["openRTSP", *options, "-v", "-d", "3", "-u", door.viewer.name, door.viewer.password]
    url = f"rtsp://127.0.0.1:{door.server.port}/door"
    done = await asyncio.to_thread(
        subprocess.run, [*command, url], cwd=tmp_path, capture_output=True, timeout=2 * LIMIT_S, check=False
    )
    written = [file.read_bytes() for file in tmp_path.glob("video*")]
    assert done.returncode == 0, done.stderr
    assert written
    assert written[0][4] & 0x1F == 7, "it begins with a sequence parameter set"
