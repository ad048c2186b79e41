"""npm's `onvif`, which UniFi Protect and others are made with."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from tests.integrations.onvif.found_door import RTSP_PORT, FoundDoor
from tests.reference.sdk import fetch_packages

NODE = Path(__file__).parent / "node"
LIMIT_S = 120.0

pytestmark = [
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm: `./setup.sh --test` brings one"),
    pytest.mark.timeout(600),  # its packages are fetched first
]


async def test_it_finds_the_stream_and_the_still_and_hears_the_bell(door: FoundDoor) -> None:
    await asyncio.to_thread(fetch_packages, NODE)
    node = await asyncio.create_subprocess_exec(
        *("node", "find.js", str(door.server.port), door.viewer.name, door.viewer.password),
        cwd=NODE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert node.stderr is not None and node.stdout is not None
    try:
        async with asyncio.timeout(LIMIT_S):
            said = await node.stderr.readline()
            assert b"listens" in said, (said + await node.stderr.read()).decode()
            door.rings()
            line = await node.stdout.readline()
            assert line, (await node.stderr.read()).decode()
    finally:
        if node.returncode is None:
            node.kill()
        await node.wait()
    found = json.loads(line)
    assert found["information"]["model"] == "Door station"
    assert found["stream"]["uri"] == f"rtsp://127.0.0.1:{RTSP_PORT}/door-pcma"
    assert found["still"]["uri"] == f"{door.url}/snapshot.jpg"
    assert "DigitalInput" in found["bell"]
