"""What another process does, as the kernel counts it: none of it depends on what else the machine does."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from bench.report import CannotRunError

DAY_S = 86_400.0


@dataclass(frozen=True)
class Counts:
    """What a process has done since it started."""

    cpu_s: float = 0.0
    """Processor time of the threads that live."""
    wakeups: int = 0
    """How often a thread slept until something woke it."""
    written_bytes: int = 0
    """Bytes that went to a disk, or will."""
    wire_bytes: int = 0
    """Bytes that its connections at the observed port sent and received."""

    def a_day(self, before: Counts, window_s: float) -> dict[str, float]:
        """Return what a day is made of, by what was counted since `before` in this window."""
        days = DAY_S / window_s
        return {
            "wakeups_per_day": round((self.wakeups - before.wakeups) * days),
            "written_kb_per_day": round((self.written_bytes - before.written_bytes) / 1e3 * days, 1),
            "wire_mb_per_day": round((self.wire_bytes - before.wire_bytes) / 1e6 * days, 2),
            "cpu_s_per_day": round((self.cpu_s - before.cpu_s) * days, 1),
        }


def counts(pid: int, port: int | None = None) -> Counts:
    """Return what a process has done, and what passed its connections at a port of this machine."""
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    cpu_ns = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads)
    woken = sum(int(_field(thread / "status", "voluntary_ctxt_switches")) for thread in threads)
    written = int(_field(Path(f"/proc/{pid}/io"), "write_bytes"))
    return Counts(cpu_ns / 1e9, woken, written, 0 if port is None else _wire_bytes(pid, port))


def rss_mb(pid: int) -> float:
    """Return the memory of a process."""
    return int(_field(Path(f"/proc/{pid}/status"), "VmRSS").split()[0]) * 1024 / 1e6


async def settled_rss_mb(pid: int) -> float:
    """Return the memory of a process once it neither grows nor shrinks."""
    before = -1.0
    while (now := rss_mb(pid)) != before:
        before = now
        await asyncio.sleep(1.0)
    return now


def _field(file: Path, name: str) -> str:
    return next(line.partition(":")[2].strip() for line in file.read_text().splitlines() if line.startswith(name + ":"))


def _wire_bytes(pid: int, port: int) -> int:
    """Return the bytes that the process' open connections at this port sent and received, as TCP counts them."""
    if shutil.which("ss") is None:
        raise CannotRunError("there is no ss, which counts what passes a connection: apt install iproute2")
    filters = ("-tnpiHO", f"( sport = :{port} or dport = :{port} )")
    lines = subprocess.run(["ss", *filters], capture_output=True, text=True, check=True).stdout.splitlines()
    mine = (line for line in lines if f"pid={pid}," in line)
    return sum(int(number) for line in mine for number in re.findall(r" bytes_(?:sent|received):(\d+)", line))
