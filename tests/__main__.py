"""`python -m tests [--part NAME] [OPTION …]`: run all tests, or those of one part; other options go to pytest.

All tests run in five shares side by side: each mostly waits, for a guest's clock, a browser, a network, so together
they take little more than the longest one. What has to be in time, with sound and pictures, goes before the rest.
`make check` runs beside all of them. The last lines tell of all shares what was not run and why, what failed and why,
and how many passed.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType

from .parts import ROOT, UNHURRIED, in_shares, listing, parts
from .tally import Tally

NO_TESTS = 5
"""pytest's exit status where no test was chosen."""
TESTS_FAILED = 1
NO_SUCH_PART = 2
RUN_LIMIT_S = 80 * 60
"""Time limit of a whole run, in which kernels and disks may have to be built first; each test has its own limit."""
NICENESS = 10
"""Niceness of the shares that are in no hurry: all together get a quarter of a processor that another one wants."""
ENDING_LIMIT_S = 30.0
"""Time limit for an interrupted pytest to tear down what it had."""
CHECK = {"make check": ("make", "--no-print-directory", "check")}
"""What runs beside all tests, which it would keep waiting for a quarter of a minute on one processor."""


def _pytest(name: str, arguments: Sequence[str], folder: Path) -> Sequence[str]:
    # What is skipped and what failed stands in the last lines, of all together.
    own = ["-rN", "-p", "tests.tally", "--tally", str(folder / name), "-o", f"cache_dir=.pytest_cache/{name}"]
    return [sys.executable, "-m", "pytest", *own, *arguments]


def _start(command: Sequence[str], output: Path | None, *, hurried: bool) -> subprocess.Popen[bytes]:
    """Start a program whose output goes to a file, or is seen as it comes."""
    command = [*([] if hurried else ["nice", f"-n{NICENESS}"]), *command]
    if output is None:
        return subprocess.Popen(command)
    with output.open("wb") as file:
        return subprocess.Popen(command, stdout=file, stderr=subprocess.STDOUT)


def _end(process: subprocess.Popen[bytes], until: float) -> int:
    """Wait for a pytest until then, and end it after that; return its exit status."""
    with suppress(subprocess.TimeoutExpired):
        return process.wait(max(0.0, until - time.monotonic()))
    process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        return process.wait(ENDING_LIMIT_S)
    process.kill()
    return process.wait()


def run(
    shares: Mapping[str, Sequence[str]],
    options: Sequence[str],
    beside: Mapping[str, Sequence[str]] = MappingProxyType({}),
    limit_s: float = RUN_LIMIT_S,
) -> Tally:
    """Run one pytest for each share and the commands beside them, side by side, and show their reports.

    Return what became of all tests; a command that fails counts as one.
    """
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="tests-") as temporary:
        folder = Path(temporary)
        outputs = {name: folder / f"{name}.output" for name in (*shares, *beside)}
        del outputs[seen := [*shares][-1]]
        processes = {
            name: _start(
                beside.get(name) or _pytest(name, [*options, *shares[name]], folder),
                outputs.get(name),
                hurried=name in shares and name not in UNHURRIED,
            )
            for name in (*outputs, seen)
        }
        until = time.monotonic() + limit_s
        try:
            statuses = {name: _end(process, until) for name, process in reversed(processes.items())}
        except KeyboardInterrupt:  # which each of them has heard too
            statuses = {name: _end(process, time.monotonic() + ENDING_LIMIT_S) for name, process in processes.items()}
        for output in outputs.values():
            sys.stdout.buffer.write(output.read_bytes())
        for name, status in statuses.items():
            told = name in shares and tally.read(folder / name)
            if status not in ({0, NO_TESTS} if name in shares else {0}) and not told:
                what = f"pytest of the {name}" if name in shares else name
                tally.fail(what, f"it ended with status {status}: see its output above")
    return tally


def main(options: list[str]) -> int:
    """Run everything or one part, and print the last lines; the exit status is 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests", add_help=False, allow_abbrev=False)
    parser.add_argument("--part")
    ours, pytests = parser.parse_known_args(options)
    known = parts(ROOT / "tests")
    if ours.part is None:
        shares, beside, left_out = in_shares(known), CHECK, list[str]()
    elif ours.part in known:
        beside = {}
        shares = {ours.part: [str(path) for path in known[ours.part]]}
        left_out = [f"Only the part {ours.part}: run `make check` too, and all of `make test` before it is published."]
    else:
        print(f"There is no part {ours.part} of the tests. Name one of these:", *listing(known), sep="\n")
        return NO_SUCH_PART
    tally = run(shares, pytests, beside)
    print("", *left_out, *tally.last_lines(), sep="\n", flush=True)
    return TESTS_FAILED if tally.named("failed") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
