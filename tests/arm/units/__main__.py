"""`python -m tests.arm.units [PART …]`: run the unit tests of every part, or of these, on an emulated aarch64.

Each part has a pytest of its own, and each core of this machine runs one. A line tells how each part went; the last
lines tell of all parts what was not run and why, what failed and why, and how many passed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hardware.kernel import UnavailableError
from tests.parts import ROOT, parts
from tests.tally import Tally

from .environment import Environment, lay
from .leaving_out import left_out

NO_TESTS = 5
"""pytest's exit status where no test was chosen."""
TEST_LIMIT_S = 600
"""Time limit of a test: emulation takes ten times as long and more."""
PART_LIMIT_S = 2 * 60 * 60
COLLECT_LIMIT_S = 600
OPTIONS = (
    *("-q", "-rN", "--tb=short", "--assert=plain", f"--timeout={TEST_LIMIT_S}", "-p", "no:cacheprovider"),
    *("--continue-on-collection-errors", "-p", "tests.tally", "-p", "tests.arm.units.leaving_out"),
)


def where(name: str) -> list[str]:
    """Return the files and folders of a part, or of a folder or file in one, as pytest is told them."""
    named = parts(ROOT / "tests").get(name, [ROOT / "tests" / name])
    if absent := [path for path in named if not path.exists()]:
        raise UnavailableError(f"there is no {absent[0].relative_to(ROOT)}")
    return [str(path.relative_to(ROOT)) for path in named]


def not_run(paths: Sequence[str]) -> Tally:
    """Return the tests in these paths whose file is left out, each with its reason; this Python lists them."""
    tally = Tally()
    lying = {
        name: why for name, why in left_out().files().items() if any(Path(name).is_relative_to(path) for path in paths)
    }
    if lying:
        command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *lying]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=COLLECT_LIMIT_S, check=False)
        listed = [line for line in done.stdout.splitlines() if line.startswith("tests/") and "::" in line]
        tally.outcomes = {name: ("skipped", left_out().why(name) or "") for name in listed}
        if done.returncode:
            tally.fail("the list of what is not run", done.stdout[-2000:] + done.stderr[-2000:])
    return tally


def run(name: str, environment: Environment, folder: Path) -> Tally:
    """Run the tests of a part in emulation, and say how it went; return what became of each."""
    began, told = time.monotonic(), folder / f"{name.replace('/', '-')}.tally"
    tally, output = not_run(where(name)), told.with_suffix(".output")
    if paths := [path for path in where(name) if left_out().why(path) is None]:
        with output.open("wb") as file:
            words = ("-m", "pytest", *OPTIONS, "--tally", str(told), *paths)
            status = environment.run(*words, output=file.fileno(), limit_s=PART_LIMIT_S)
        if not tally.read(told) and status not in {0, NO_TESTS}:
            tally.fail(f"pytest of {name}", f"it ended with status {status}")
        if tally.named("failed"):
            print(output.read_text(encoding="utf-8", errors="replace"))
    print(row(name, tally, (time.monotonic() - began) / 60), flush=True)
    return tally


def row(name: str, tally: Tally, minutes: float) -> str:
    """Return a line that tells how a part went."""
    counts = Counter(outcome for outcome, _ in tally.outcomes.values())
    ran = f"{counts['passed']:5} passed, {counts['failed']:3} failed, {counts['skipped']:4} not run"
    return f"{name:14}{ran}, {minutes:5.1f} minutes"


def main(names: Sequence[str]) -> int:
    """Run these parts, or all, and print the last lines; return 1 when a test failed."""
    with TemporaryDirectory(prefix="arm-units-") as temporary:
        folder = Path(temporary)
        try:
            for name in names:
                where(name)
            environment = lay(folder)
        except UnavailableError as reason:
            print(f"The unit tests cannot be run on aarch64: {reason}", file=sys.stderr)
            return 1
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            told = list(pool.map(lambda name: run(name, environment, folder), names or parts(ROOT / "tests")))
    tally = Tally({test: outcome for each in told for test, outcome in each.outcomes.items()})
    print(*tally.last_lines(), sep="\n")
    return 1 if tally.named("failed") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
