"""GStreamer's client (rtspsrc): the picture and the sound, by TCP and by UDP, and the way back."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integrations.rtsp.watched_door import LIMIT_S, WatchedDoor, until

pytestmark = pytest.mark.skipif(
    shutil.which("gst-launch-1.0") is None,
    reason="gst-launch-1.0 is not installed (apt install gstreamer1.0-tools gstreamer1.0-plugins-good)",
)


PATIENT = (f"timeout={LIMIT_S * 1e6:.0f}", f"tcp-timeout={LIMIT_S * 1e6:.0f}")
"""It gives up UDP after five seconds without a packet else, and a request after twenty."""


def launched(url: str, protocol: str, sound: str) -> subprocess.CompletedProcess[str]:
    """Receive ten pictures and ten packets of sound."""
    parts = [
        *("rtspsrc", f"location={url}", f"protocols={protocol}", "latency=0", "name=door", *PATIENT),
        *("door.", "!", "application/x-rtp,media=video", "!", "rtph264depay", "!", "fakesink", "num-buffers=10"),
        *("door.", "!", "application/x-rtp,media=audio", "!", sound, "!", "fakesink", "num-buffers=10"),
    ]
    return subprocess.run(
        ["gst-launch-1.0", "-q", *parts], capture_output=True, text=True, timeout=2 * LIMIT_S, check=False
    )


@pytest.mark.parametrize(
    ("protocol", "stream", "sound"), [("tcp", "door", "rtpopusdepay"), ("udp", "door-pcma", "rtppcmadepay")]
)
async def test_it_receives_picture_and_sound(door: WatchedDoor, protocol: str, stream: str, sound: str) -> None:
    done = await asyncio.to_thread(launched, door.url(stream), protocol, sound)
    assert done.returncode == 0, done.stderr
    await until(lambda: not door.camera.is_running)


def has_bindings() -> bool:
    """Whether the system's Python has GStreamer's bindings."""
    asked = ["/usr/bin/python3", "-c", "import gi; gi.require_version('Gst', '1.0'); from gi.repository import Gst"]
    return Path(asked[0]).exists() and subprocess.run(asked, capture_output=True, check=False).returncode == 0


async def test_it_talks_at_the_door(door: WatchedDoor) -> None:
    if not await asyncio.to_thread(has_bindings):
        pytest.skip("GStreamer's bindings are not here (apt install python3-gi gir1.2-gstreamer-1.0)")
    script = Path(__file__).parent / "gstreamer_talks.py"
    talking = await asyncio.create_subprocess_exec("/usr/bin/python3", str(script), door.url("door-pcma", door.talker))
    try:
        await until(lambda: door.engine.stats().speaker_db > -40)
        await until(lambda: [each["talks"] for each in door.document["viewers"]] == [True])
    finally:
        talking.kill()
        await talking.wait()
    await until(lambda: door.engine.beside.voice is None)
