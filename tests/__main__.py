"""`python -m tests [OPTION …]`: all tests, those on real kernels beside all others; options go to pytest.

Both mostly wait: for a guest's clock, a browser, a network. Side by side they take little more than the longer one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from typing import IO

GUESTS = ("tests/hardware", "tests/deb")
"""They boot kernels, and build the packages that these install."""
NO_TESTS = 5
"""pytest's exit status where nothing was to be run again."""


def _pytest(cache: str, arguments: list[str], output: IO[bytes] | None = None) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "pytest", "-o", f"cache_dir=.pytest_cache/{cache}", *arguments]
    return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT if output else None)


def main(options: list[str]) -> int:
    """Run both; show the guests' report when it is whole. The exit status is the worse one."""
    with tempfile.TemporaryFile() as report:
        guests = _pytest("guests", [*options, *GUESTS], report)
        others = _pytest("others", [*options, *(f"--ignore={folder}" for folder in GUESTS)])
        try:
            statuses = [others.wait(), guests.wait()]
        except KeyboardInterrupt:
            statuses = [others.wait(), guests.wait()]
        report.seek(0)
        sys.stdout.buffer.write(report.read())
        sys.stdout.flush()
    return max(0 if status == NO_TESTS else abs(status) for status in statuses)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
