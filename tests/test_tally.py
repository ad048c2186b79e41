"""The last lines of a run: what two pytest processes proved, what they did not, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.__main__ import run
from tests.readme import ROOT

pytestmark = pytest.mark.timeout(900)  # each starts two processes, which a busy machine gives no time

PASSES = "def test_it_holds(): pass\n"
SKIPS = 'import pytest\n@pytest.mark.parametrize("n", [1, 2])\n@pytest.mark.skip(reason="there is no horn")\n'
SKIPS += "def test_the_horn(n): pass\n"
FAILS = "def test_it_does_not(): assert 1 == 2\n"
FAILS_TWICE = "import pytest\n@pytest.fixture\ndef broken():\n    yield\n    raise OSError('torn')\n"
FAILS_TWICE += "def test_once(broken): assert False\n"
DIES = "import os\ndef test_first(): pass\ndef test_that_takes_pytest_along(): os._exit(9)\n"
DIES_BEFORE = "import os\nos._exit(9)\n"
HANGS = "def test_that_hangs():\n    while True: pass\n"
NO_TEST_FILE = "import nothing_of_that_name\n"
PLAIN = ("-q", "-p", "no:hypothesispytest", "-c", str(ROOT / "pyproject.toml"))
"""Hypothesis takes a second to load that these tests do not need."""


def last_lines(
    folder: Path, *texts: str, beside: Mapping[str, Sequence[str]] | None = None, limit_s: float = 600.0
) -> list[str]:
    """Run each text as a part of its own; return the run's last lines."""
    parts = {}
    for number, text in enumerate(texts):
        file = folder / f"part{number}" / f"test_part{number}.py"
        file.parent.mkdir(parents=True)
        file.write_text(text)
        parts[f"part{number}"] = [str(file), "--rootdir", str(folder), "--confcutdir", str(file.parent)]
    return list(run(parts, PLAIN, beside or {}, limit_s).last_lines())


def test_the_last_line_counts_the_tests_of_both_parts(tmp_path: Path) -> None:
    assert last_lines(tmp_path, PASSES, PASSES + FAILS)[-1] == "2 passed, 1 failed, 0 skipped"


def test_what_was_not_run_is_told_once_for_each_reason(tmp_path: Path) -> None:
    told = last_lines(tmp_path, SKIPS, PASSES)
    assert told == ["Not run:", "     2 tests: there is no horn", "1 passed, 0 failed, 2 skipped"]


def test_what_failed_is_named_with_its_reason(tmp_path: Path) -> None:
    told = last_lines(tmp_path, FAILS, PASSES)
    assert told[0] == "Failed:"
    assert "test_part0.py::test_it_does_not: assert 1 == 2" in told[1]


def test_a_test_that_fails_in_its_call_and_its_tear_down_failed_once(tmp_path: Path) -> None:
    assert last_lines(tmp_path, FAILS_TWICE)[-1] == "0 passed, 1 failed, 0 skipped"


def test_a_check_beside_the_tests_that_fails_is_a_failure_with_its_name(tmp_path: Path) -> None:
    told = last_lines(tmp_path, PASSES, beside={"lint": ("sh", "-c", "exit 3"), "types": ("true",)})
    assert told == ["Failed:", "  lint: it ended with status 3: see its output above", "1 passed, 1 failed, 0 skipped"]


@pytest.mark.parametrize(
    ("text", "test", "why"),
    [
        (DIES, "test_that_takes_pytest_along", "did not end"),
        (DIES_BEFORE, "pytest of the part0", "status 9"),
        (NO_TEST_FILE, "part0/test_part0.py", "ModuleNotFoundError"),
    ],
)
def test_what_ends_a_part_early_is_a_failure_with_its_name(tmp_path: Path, text: str, test: str, why: str) -> None:
    told = last_lines(tmp_path, text, PASSES)
    assert any(test in line and why in line for line in told), told
    assert " 0 failed" not in told[-1]


def test_a_run_past_its_limit_is_ended_and_says_in_which_test(tmp_path: Path) -> None:
    for limit_s in (3.0, 10.0, 30.0, 100.0):  # a busy machine's pytest is not in its test by then: a longer limit is
        told = last_lines(tmp_path / f"{limit_s:g}", HANGS, limit_s=limit_s)
        if any("test_that_hangs: did not end" in line for line in told):
            return
    pytest.fail(str(told))
