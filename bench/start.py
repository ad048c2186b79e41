"""From the start of the door's process to its registration at a local space, again and again.

Each start is a new `intercom run`; the space runs in another process and knows the door. The libraries' files are in
the page cache, as after the second start of a service; the first start only compiles and is not counted. What of it
is Python and the libraries' own is seen beside it: a process that imports what the door imports, and ends. How many
modules the door loads, before it is registered and in all, is counted as well: it depends on no machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from bench import _imports
from bench._door_process import REGISTERED, compiled_environment, door_process
from bench._space_process import space_process
from bench.report import Report, percentile, spread

STARTS = 12
MODULES_UNTIL_REGISTERED, MODULES = 800, 1000
"""Limits of what the door loads: each module takes memory for as long as it runs."""
LIBRARIES = "asyncio", "gpiozero", "msgspec", "numpy", "reactivex", "soxr", "sqlite3", "transitions", "websockets"


async def run() -> Report:
    """Start twelve times."""
    with tempfile.TemporaryDirectory(prefix="bench-") as temporary:
        directory = Path(temporary)
        async with space_process(directory):
            took = [await _start(directory) for _ in range(1 + STARTS)]
            until_registered, in_all = await _modules(directory)
        libraries = [await _import(LIBRARIES) for _ in range(1 + STARTS)]
        webrtc = [await _import((*LIBRARIES, "aiortc")) for _ in range(1 + STARTS)]
    return Report(
        "start",
        {
            "registered_ms": round(percentile(took[1:], 95), 1),
            "registered_p50_ms": round(statistics.median(took[1:]), 1),
            "libraries_alone_p50_ms": spread(libraries[1:])["p50_ms"],
            "modules_until_registered": until_registered,
            "modules_in_all": in_all,
        },
        {"registered_ms": 1000.0, "modules_until_registered": MODULES_UNTIL_REGISTERED, "modules_in_all": MODULES},
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


async def _modules(directory: Path) -> tuple[int, int]:
    """Return how many modules a door has loaded when it is registered, and when it waits for a press."""
    async with door_process(directory / "state", directory / "door.json", run=_imports.RUN) as door:
        await door.log.until(_imports.WARM)
    lines = door.log.lines
    registered = next(number for number, line in enumerate(lines) if REGISTERED in line)
    return len(_imports.imports(lines[:registered])), len(_imports.imports(lines))


async def _import(libraries: tuple[str, ...]) -> float:
    began = time.monotonic()
    code = f"import {', '.join(libraries)}"
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, env=compiled_environment())
    assert await process.wait() == 0
    return (time.monotonic() - began) * 1000
