"""The door's process loads what it is for, and when: what nobody asked for costs it no memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from bench._door_process import door_process
from bench._imports import RUN, WARM, imports
from bench._space_process import space_process

FOR_A_CALL = {"OpenSSL", "aioice", "aiortc", "av", "cryptography.x509", "pylibsrtp"}
"""What a press or an answer would wait for."""
NEVER = {
    *("aiohttp", "apprise", "argparse", "defusedxml", "dns", "email.mime", "intercom.cli.main", "intercom.setup"),
    *("intercom.cli.command_table", "intercom.integrations.api", "intercom.integrations.mqtt", "intercom.space"),
    *("intercom.integrations.onvif", "intercom.integrations.rtsp", "intercom.integrations.webhooks", "jwt"),
    *("colorzero", "gpiozero.boards", "importlib.metadata", "importlib.resources", "multiprocessing", "statistics"),
    *("cryptography.hazmat.primitives.serialization.ssh", "opuslib_next.api.multistream_decoder", "zipfile"),
    "reactivex.scheduler.eventloop",
    *("numpy.ma.core", "numpy.polynomial.polynomial", "numpy.random.mtrand"),
    *("livekit", "picamera2", "reactivex.operators", "requests", "segno", "tomlkit", "xml.etree"),
}
"""What other commands need, or a door with more in its configuration, and what a library loads for others."""


async def test_a_door_at_rest_has_loaded_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    async with space_process(tmp_path), door_process(tmp_path / "state", tmp_path / "door.json", run=RUN) as door:
        await door.log.until(WARM)
    assert _of(FOR_A_CALL | NEVER, imports(door.log.lines)) == FOR_A_CALL


def test_a_door_registers_before_it_loads_its_codec_and_its_canceller() -> None:
    names = {"aiortc", "opuslib_next", "pywebrtc_audio"}
    program = f"import intercom.door.appliance, sys; print({names} & sys.modules.keys())"
    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "set()\n"


def _of(names: set[str], loaded: Iterable[str]) -> set[str]:
    """Return those of the names that were loaded, themselves or a module in them."""
    return {name for name in names if any(module == name or module.startswith(f"{name}.") for module in loaded)}
