"""Cuts the power at every step of a writer, and looks at what is left; power_cut.c does the cutting.

`cut_everywhere("tests.test_atomic_file", folder)` runs this file as a program under the preloaded library. It imports
the module, which has a table `WRITERS`, and for every step of each forks a child that dies there.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

CUT_STATUS = 99
LIMIT_S = 850.0
"""A thousand processes die one after the other: half a minute alone, several on a busy machine."""
SOURCE = Path(__file__).with_name("power_cut.c")


class Writer(NamedTuple):
    """Something of the package that writes into a folder."""

    prepare: Callable[[Path], None]
    """Puts there what is there before."""
    write: Callable[[Path], None]
    """The writing that the power fails in."""
    read: Callable[[Path], Any]
    """What the package finds there afterwards; must not raise."""


class Found(NamedTuple):
    """What was found after the cuts."""

    steps: int
    """How many steps the writing has."""
    unsettled: int
    """Files and names that the disk did not hold when the writer said that it was done."""
    bad: list[str]
    """Steps after which neither the old nor the new was found, or something stayed behind for good."""


def cut_everywhere(module: str, folder: Path) -> dict[str, Found]:
    """Cut the power at every step of the module's writers, with and without loss of what was not synchronised."""
    library = folder / "power_cut.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True, timeout=LIMIT_S)
    done = subprocess.run(
        [sys.executable, "-m", "tests.power_cut", module, folder, library],
        env={**os.environ, "LD_PRELOAD": str(library)},
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )
    assert done.returncode == 0, done.stderr
    return {name: Found(**found) for name, found in json.loads(done.stdout.splitlines()[-1]).items()}


class _Cuts:
    def __init__(self, writer: Writer, folder: Path, library: str) -> None:
        self._writer, self._folder = writer, folder
        self._library = ctypes.CDLL(library)
        self._library.power_cut_steps.restype = self._library.power_cut_unsettled.restype = ctypes.c_long

    def run(self) -> Found:
        before = self._fresh("before")
        old = self._writer.read(before)
        after = self._fresh("after")
        steps, unsettled = self._count(after)
        new, settled_files = self._writer.read(after), _files(after)
        assert old != new, "the writer writes nothing that can be seen"
        bad = [
            f"step {step}{', unsynchronised data lost' if lose else ''}: {wrong}"
            for lose in (0, 1)
            for step in range(1, steps + 1)
            if (wrong := self._cut(step, lose, (old, new), settled_files))
        ]
        return Found(steps, unsettled, bad)

    def _fresh(self, name: str) -> Path:
        folder = self._folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        self._writer.prepare(folder)
        return folder

    def _count(self, folder: Path) -> tuple[int, int]:
        reader, pen = os.pipe()
        if (child := os.fork()) == 0:
            self._library.power_cut_arm(ctypes.c_long(0), 0)
            self._writer.write(folder)
            counts = [self._library.power_cut_steps(), self._library.power_cut_unsettled()]
            os.write(pen, json.dumps(counts).encode())
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 0
        steps, unsettled = json.loads(os.read(reader, 100))
        return steps, unsettled

    def _cut(self, step: int, lose: int, fine: tuple[Any, Any], settled_files: set[str]) -> str:
        folder = self._fresh("cut")
        if (child := os.fork()) == 0:
            self._library.power_cut_arm(ctypes.c_long(step), lose)
            self._writer.write(folder)
            os._exit(0)
        if (status := os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])) != CUT_STATUS:
            return f"the writer was not cut off: {status}"
        left = self._writer.read(folder)
        if left not in fine:
            return f"found {left!r}"
        if left != fine[1]:
            self._writer.write(folder)
            if (again := self._writer.read(folder)) != fine[1]:
                return f"written again: found {again!r}"
            if behind := _files(folder) ^ settled_files:
                return f"left behind for good, or missing: {behind}"
        return ""


def _files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    module, where, library = sys.argv[1:]
    writers: Mapping[str, Writer] = importlib.import_module(module).WRITERS
    found = {name: _Cuts(writer, Path(where), library).run()._asdict() for name, writer in writers.items()}
    print(json.dumps(found))
