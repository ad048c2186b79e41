"""`python -m tests [--part NAME] [OPTION …]`: run all tests, or those of one part; other options go to pytest.

All tests run in five shares side by side: each mostly waits, for a guest's clock, a browser, a network, so together
they take little more than the longest one. What has to be in time, with sound and pictures, goes before the rest.
The last lines tell of all shares what was not run and why, what failed and why, and how many passed.
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


def _pytest(name: str, arguments: Sequence[str], folder: Path, *, seen: bool) -> subprocess.Popen[bytes]:
    # What is skipped and what failed stands in the last lines, of all together.
    own = ["-rN", "-p", "tests.tally", "--tally", str(folder / name), "-o", f"cache_dir=.pytest_cache/{name}"]
    nice = ["nice", f"-n{NICENESS}"] if name in UNHURRIED else []
    command = [*nice, sys.executable, "-m", "pytest", *own, *arguments]
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


def run(shares: Mapping[str, Sequence[str]], options: Sequence[str], limit_s: float = RUN_LIMIT_S) -> Tally:
    """Run one pytest for each share, side by side, and show their reports; return what became of all tests."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="tests-") as temporary:
        folder = Path(temporary)
        *others, last = shares
        processes = {
            name: _pytest(name, [*options, *arguments], folder, seen=name == last) for name, arguments in shares.items()
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
    """Run everything or one part, and print the last lines; the exit status is 1 when anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests", add_help=False, allow_abbrev=False)
    parser.add_argument("--part")
    ours, pytests = parser.parse_known_args(options)
    known = parts(ROOT / "tests")
    if ours.part is None:
        shares, left_out = in_shares(known), list[str]()
    elif ours.part in known:
        shares = {ours.part: [str(path) for path in known[ours.part]]}
        left_out = [f"Only the part {ours.part}: run `make check` too, and all of `make test` before it is published."]
    else:
        print(f"There is no part {ours.part} of the tests. Name one of these:", *listing(known), sep="\n")
        return NO_SUCH_PART
    tally = run(shares, pytests)
    print("", *left_out, *tally.last_lines(), sep="\n", flush=True)
    return TESTS_FAILED if tally.named("failed") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
