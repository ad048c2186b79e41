"""Feeds one reader after another with broken input, and keeps what it did not expect."""

from __future__ import annotations

import hashlib
import logging
import random
import signal
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from tests.fuzz.mutate import Mutator
from tests.fuzz.targets import BY_NAME, Target

CORPUS = Path(__file__).with_name("corpus")
"""Inputs that once were findings, a folder for each target; tests feed them again."""
HANG_S = 5.0
"""Time of the processor after which an input counts as one that hangs its reader."""
SETTLED = 2_000
"""Inputs after which a reader's caches are full and its memory counts."""
GROWTH_LIMIT_KB = 64 * 1024
"""Growth of the process's memory that is a finding."""


class HangError(Exception):
    """A reader did not come back from one input."""


@dataclass
class Report:
    """What became of one target."""

    name: str
    inputs: int = 0
    grown_kb: int = 0
    findings: dict[str, bytes] = field(default_factory=dict)
    """An input for each place at which something unexpected was raised."""


def feed(target: Target, *, seed: int, goes_on: Callable[[int], bool]) -> Report:
    """Feed one target while `goes_on` says so, given how many inputs it has had; nothing is logged meanwhile."""
    logging.disable(logging.CRITICAL)
    try:
        return _feed(target, seed, goes_on)
    finally:
        logging.disable(logging.NOTSET)


def _feed(target: Target, seed: int, goes_on: Callable[[int], bool]) -> Report:
    report = Report(target.name)
    mutator = Mutator(random.Random(seed), target.seeds)
    draw = {"bytes": mutator.bytes, "lines": mutator.lines, "json": mutator.json}[target.how]
    read, since, settled_kb = target.make(), 0, 0
    while goes_on(report.inputs):
        if since >= target.lasts:
            read, since = target.make(), 0
        data = draw()
        report.inputs, since = report.inputs + 1, since + 1
        if (where := unexpected(read, data)) is not None:
            report.findings.setdefault(where, data)
            read, since = target.make(), 0
        if report.inputs == SETTLED:
            settled_kb = _memory_kb()
    if settled_kb:
        report.grown_kb = _memory_kb() - settled_kb
        if report.grown_kb > GROWTH_LIMIT_KB:
            report.findings[f"memory grew by {report.grown_kb // 1024} MB"] = b""
    return report


def feed_for(name: str, seed: int, seconds: float) -> Report:
    """Feed the target of this name for a while, in a process of its own."""
    end = time.monotonic() + seconds
    return feed(BY_NAME[name], seed=seed, goes_on=lambda inputs: inputs % 64 != 0 or time.monotonic() < end)


def unexpected(read: Callable[[bytes], object], data: bytes) -> str | None:
    """Feed one input; what was raised and where, if anything was."""
    try:
        with _watched():
            read(data)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the finding
        last = traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}: {str(error)[:120]!r}"
    return None


def keep(target: str, data: bytes) -> Path:
    """Put an input into the corpus; return its file."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / hashlib.sha256(data).hexdigest()[:16]
    file.write_bytes(data)
    return file


def kept(target: str) -> list[bytes]:
    """The inputs of a target that once were findings."""
    folder = CORPUS / target
    return [file.read_bytes() for file in sorted(folder.iterdir())] if folder.is_dir() else []


@contextmanager
def _watched() -> Iterator[None]:
    def ring(_number: int, _frame: FrameType | None) -> None:
        raise HangError(f"no answer within {HANG_S:g} s of the processor")

    before = signal.signal(signal.SIGPROF, ring)
    signal.setitimer(signal.ITIMER_PROF, HANG_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        signal.signal(signal.SIGPROF, before)


def _memory_kb() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0
