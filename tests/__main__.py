"""`python -m tests [OPTION …]`: all tests, those on real kernels beside all others; options go to pytest.

Both mostly wait: for a guest's clock, a browser, a network. Side by side they take little more than the longer one.
The last lines tell of both what was not run and why, what failed and why, and how many passed.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from .tally import Tally

GUESTS = ("tests/hardware", "tests/deb")
"""They boot kernels, and build the packages that these install."""
PARTS = {"guests": GUESTS, "others": tuple(f"--ignore={folder}" for folder in GUESTS)}
"""Each part and its arguments for pytest; the last one's output is seen while it runs."""
NO_TESTS = 5
"""pytest's exit status where no test was chosen."""
TESTS_FAILED = 1
RUN_LIMIT_S = 80 * 60
"""Time limit of a whole run, in which kernels and disks may have to be built first; each test has its own limit."""
ENDING_LIMIT_S = 30.0
"""Time limit for an interrupted pytest to tear down what it had."""


def _pytest(name: str, arguments: Sequence[str], folder: Path, *, seen: bool) -> subprocess.Popen[bytes]:
    # What is skipped and what failed stands in the last lines, of both together.
    own = ["-rN", "-p", "tests.tally", "--tally", str(folder / name), "-o", f"cache_dir=.pytest_cache/{name}"]
    command = [sys.executable, "-m", "pytest", *own, *arguments]
    if seen:
        return subprocess.Popen(command)
    with (folder / f"{name}.output").open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def _end(process: subprocess.Popen[bytes], until: float) -> int:
    """Wait for a pytest until then, and end it after that; return its exit status."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(max(0.0, until - time.monotonic()))
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        return process.wait(ENDING_LIMIT_S)
    process.kill()
    return process.wait()


def run(parts: Mapping[str, Sequence[str]], options: Sequence[str], limit_s: float = RUN_LIMIT_S) -> Tally:
    """Run one pytest for each part, side by side, and show their reports; return what became of all tests."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="tests-") as temporary:
        folder = Path(temporary)
        *others, last = parts
        processes = {
            name: _pytest(name, [*options, *arguments], folder, seen=name == last) for name, arguments in parts.items()
        }
        until = time.monotonic() + limit_s
        try:
            statuses = {name: _end(process, until) for name, process in reversed(processes.items())}
        except KeyboardInterrupt:  # which each pytest has heard too
            statuses = {name: _end(process, time.monotonic() + ENDING_LIMIT_S) for name, process in processes.items()}
        for name in others:
            sys.stdout.buffer.write((folder / f"{name}.output").read_bytes())
        for name, status in statuses.items():
            told = tally.read(folder / name)
            if status not in {0, NO_TESTS} and not told:
                tally.fail(f"pytest of the {name}", f"it ended with status {status}: see its output above")
    return tally


def main(options: list[str]) -> int:
    """Run everything and print the last lines; the exit status is 1 when anything failed."""
    tally = run(PARTS, options)
    print("", *tally.last_lines(), sep="\n", flush=True)
    return TESTS_FAILED if tally.named("failed") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
