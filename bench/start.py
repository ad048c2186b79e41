"""From the start of the door's process to its registration at a local space, again and again.

Each start is a new `intercom run`; the space runs in another process and knows the door. The libraries' files are in
the page cache, as after the second start of a service; the first start only compiles and is not counted. What of it
is Python and the libraries' own is seen beside it: a process that imports what the door imports, and ends.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench._door_process import compiled_environment, door_process
from bench._space_process import space_process
from bench.report import Report, percentile, spread

STARTS = 12
LIBRARIES = "asyncio", "gpiozero", "msgspec", "numpy", "reactivex", "soxr", "sqlite3", "transitions", "websockets"


async def run() -> Report:
    """Start twelve times."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        async with space_process(directory):
            took = [await _start(directory) for _ in range(1 + STARTS)]
        libraries = [await _import(LIBRARIES) for _ in range(1 + STARTS)]
        webrtc = [await _import((*LIBRARIES, "aiortc")) for _ in range(1 + STARTS)]
    return Report(
        "start",
        {
            "registered_ms": round(percentile(took[1:], 95), 1),
            "registered_p50_ms": round(statistics.median(took[1:]), 1),
            "libraries_alone_p50_ms": spread(libraries[1:])["p50_ms"],
        },
        {"registered_ms": 1000.0},
        {"with_aiortc_libraries_alone_p50_ms": spread(webrtc[1:])["p50_ms"]},
        notes=(
            "registered_ms: 95th percentile; from the process' start to the space's word that the door is registered.",
            "libraries_alone: a process that imports the libraries of the door's start and ends; with aiortc: what "
            "the start would take besides if it waited for what only calls need.",
        ),
    )


async def _start(directory: Path) -> float:
    async with door_process(directory / "state", directory / "door.json") as door:
        return door.registered_ms


async def _import(libraries: tuple[str, ...]) -> float:
    began = time.monotonic()
    code = f"import {', '.join(libraries)}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=compiled_environment())
    assert await process.wait() == 0
    return (time.monotonic() - began) * 1000
