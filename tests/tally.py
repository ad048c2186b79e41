"""A pytest plugin that writes down what became of each test, and the run's last lines made of it.

`-p tests.tally --tally FILE` adds a line of JSON to FILE as each test starts and as it ends, so that a pytest that dies
leaves behind what it had proven and the name of the test in which it died.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

BROKE_OFF = "did not end: pytest broke off in it"
RANK = {"passed": 0, "skipped": 1, "failed": 2}
"""What counts of a test whose set-up, call and tear-down went differently: the highest."""
LONGEST_REASON = 300


class Scribe:
    """Writes the file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Write down that a test starts: until it says otherwise, the run broke off in it."""
        self._write(nodeid, "started", "")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write down how one of a test's three steps went."""
        if report.outcome != "passed" or report.when == "call":
            outcome = "passed" if hasattr(report, "wasxfail") and report.passed else report.outcome
            self._write(report.nodeid, outcome, reason(report))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Write down a file whose tests cannot even be listed, or that skips itself."""
        if report.outcome != "passed":
            self._write(report.nodeid, report.outcome, reason(report))

    def _write(self, test: str, outcome: str, why: str) -> None:
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps([test, outcome, why]) + "\n")


def reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    """Return in one line why a test failed or was not run; nothing for one that passed."""
    told = report.longrepr
    if report.outcome == "passed" or told is None:
        text = ""
    elif isinstance(told, tuple):
        text = told[2].removeprefix("Skipped: ")
    else:
        crash = getattr(told, "reprcrash", None)
        text = crash.message if crash is not None else str(told)
    if expected := getattr(report, "wasxfail", ""):
        text = f"it is expected to fail: {expected}"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("E ").strip() for line in lines if line.startswith("E ")]
    return next(iter(errors[-1:] + lines), "")[:LONGEST_REASON]


@dataclass
class Tally:
    """What became of the tests of one or more pytest processes."""

    outcomes: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By the name of the test: "passed", "skipped" or "failed", and why."""

    def read(self, path: Path) -> bool:
        """Take in one process's file; return whether anything failed, as a test does in which pytest died."""
        failed = len(self.named("failed"))
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        for test, outcome, why in map(json.loads, lines):
            known = self.outcomes.get(test)
            if outcome == "started":
                self.outcomes[test] = ("failed", BROKE_OFF)
            elif known is None or known[1] == BROKE_OFF or RANK[outcome] > RANK[known[0]]:
                self.outcomes[test] = (outcome, why)
        return len(self.named("failed")) > failed

    def fail(self, what: str, why: str) -> None:
        """Count what went wrong outside any test."""
        self.outcomes[what] = ("failed", why)

    def named(self, outcome: str) -> dict[str, str]:
        """Return the tests with this outcome, each with its reason."""
        return {test: why for test, (became, why) in self.outcomes.items() if became == outcome}

    def last_lines(self) -> Iterable[str]:
        """Yield what was not run and why, what failed and why, and the three numbers alone on the last line."""
        skipped, failed = self.named("skipped"), self.named("failed")
        if skipped:
            yield "Not run:"
            for why, count in Counter(skipped.values()).most_common():
                yield f"  {count:4} {'test' if count == 1 else 'tests'}: {why}"
        if failed:
            yield "Failed:"
            for test, why in failed.items():
                yield f"  {test}: {why}"
        yield f"{len(self.named('passed'))} passed, {len(failed)} failed, {len(skipped)} skipped"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --tally."""
    parser.addoption("--tally", type=Path, metavar="FILE", help="write down what became of each test")


def pytest_configure(config: pytest.Config) -> None:
    """Write where --tally says."""
    if path := config.getoption("--tally"):
        config.pluginmanager.register(Scribe(path))
