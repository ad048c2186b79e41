"""The tests themselves: they run from a script, in the background, and where there is no browser to drive."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable

from tests.readme import ROOT

SAYS_ITS_SIGINT = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
STARTS_A_PROGRAM = (
    f"import subprocess, sys, tests.conftest; subprocess.run([sys.executable, '-c', {SAYS_ITS_SIGINT!r}])"
)
COLLECTS_WITHOUT_PLAYWRIGHT = """
import sys
sys.modules["playwright"] = None
import pytest
sys.exit(pytest.main(["--collect-only", "-qq", "-p", "no:cacheprovider", *sys.argv[1:]]))
"""


def python(script: str, *arguments: str, before: Callable[[], object] | None = None) -> str:
    """Run a script in the checkout; return what it said, with its exit status when that is not 0."""
    command = [sys.executable, "-c", script, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, preexec_fn=before)
    return done.stdout + (f"exit status {done.returncode}: {done.stderr}" if done.returncode else "")


def test_a_program_that_a_test_starts_takes_ctrl_c_in_a_script_s_background_job_too() -> None:
    ignored = python(STARTS_A_PROGRAM, before=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN))
    assert ignored == "True\n"


def test_what_needs_no_browser_is_collected_where_playwright_is_missing() -> None:
    alone = [str(file) for file in sorted((ROOT / "tests").glob("test_*.py"))]
    said = python(COLLECTS_WITHOUT_PLAYWRIGHT, "tests/media", "tests/signalwire", "tests/panel", *alone)
    assert "rror" not in said.replace("Error::", ""), said[-3000:]
    assert "exit status" not in said, said[-3000:]
