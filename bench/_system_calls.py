"""How often a process asks the kernel for something, and how often it wakes: counts, which no other load changes."""

from __future__ import annotations

import asyncio
import math
import os
import shutil
import signal
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

COUNTED_S = 10.0
MOST_NAMED = 6
"""Limit of the calls that a note names."""
WITHOUT_STRACE = "syscalls: not counted, because strace is not installed (apt install strace) or may not look here."


@dataclass(frozen=True)
class Calls:
    """What a process asked for in a second."""

    wakeups: float
    """Times that one of its threads waited, and was woken."""
    syscalls: float = math.nan
    """System calls; not a number where strace cannot count them."""
    by_name: dict[str, float] = field(default_factory=dict)
    """The same by name."""

    def note(self, figure: str) -> str:
        """The most frequent calls in a line, or why they were not counted."""
        if math.isnan(self.syscalls):
            return WITHOUT_STRACE
        most = sorted(self.by_name.items(), key=lambda call: -call[1])[:MOST_NAMED]
        return f"{figure}: a second, by strace; " + ", ".join(f"{count:.0f} {name}" for name, count in most) + "."


def _waits(pid: int) -> int:
    waits = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        lines = (thread / "status").read_text().splitlines()
        waits += next(int(line.split()[1]) for line in lines if line.startswith("voluntary_ctxt_switches"))
    return waits


async def count(pid: int, seconds: float = COUNTED_S) -> Calls:
    """Count for a while, the wake-ups first: strace stops a process at each call, which the kernel counts as a wait."""
    loop = asyncio.get_running_loop()
    before, began = _waits(pid), loop.time()
    await asyncio.sleep(seconds)
    wakeups = round((_waits(pid) - before) / (loop.time() - began), 1)
    counts = await _straced(pid, seconds)
    if not counts:
        return Calls(wakeups)
    return Calls(wakeups, round(sum(counts.values()), 1), counts)


async def _straced(pid: int, seconds: float) -> dict[str, float]:
    """Calls a second by name; empty where strace cannot look."""
    strace = shutil.which("strace")
    if strace is None:
        return {}
    handle, file = tempfile.mkstemp()
    os.close(handle)
    try:
        tracing = await asyncio.create_subprocess_exec(
            strace, "-f", "-c", "-U", "name,calls", "-o", file, "-p", str(pid), stderr=asyncio.subprocess.DEVNULL
        )
        began = asyncio.get_running_loop().time()
        try:
            await asyncio.wait_for(tracing.wait(), seconds)
        except TimeoutError:
            tracing.send_signal(signal.SIGINT)
        passed = asyncio.get_running_loop().time() - began
        await tracing.wait()
        return {name: number / passed for name, number in calls_by_name(Path(file).read_text()).items()}
    finally:
        Path(file).unlink()


def calls_by_name(text: str) -> dict[str, int]:
    """Calls by name from strace's summary."""
    rows = [line.split() for line in text.splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] != "total"}
