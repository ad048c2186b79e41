"""Runs the tests under inside/ in a guest, one guest a module, and reports each as if it had run here.

Both sides are ordinary pytest: the guest's writes every report as a line of JSON, the host's hands it on. What a
machine that cannot run a guest does about these tests is decided in readiness.py.
"""

from __future__ import annotations

import compileall
import json
import os
import shlex
import sys
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from .guest import CHECKOUT, SHARED, Guest, GuestError
from .kernel import CACHE, UnavailableError, cache, wish
from .readiness import INSIDE, Readiness
from .station import installed

TEST_LIMIT_S = 900.0
"""Time limit of a test that boots a machine of its own, with what its module installs on it first."""
MODULE_LIMIT_S = 600.0
"""A module's tests together; one takes seconds."""
LOOK_AGAIN_S = 0.05
WITHOUT = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")
"""The checkout is read-only, and hypothesis takes a second to load that these tests do not need."""
CARDS = ("snd_aloop.enable=1", "snd_aloop.id=Ring")
"""Every guest has one loopback card."""
REPORTS = "reports.jsonl"
IN_GUEST = "INTERCOM_IN_GUEST"
"""Set in the guest's pytest to the file for its reports."""


@pytest.fixture(scope="session")
def bench_kernel() -> None:
    """The kernel is built and boots here: asked for by each test with a `Guest`, and seen to by `Readiness`."""


@pytest.fixture(scope="session")
def coming_disk(
    bench_kernel: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Future[Path] | None]:
    """The disk of `station_disk`, where a test of this run needs it: made while others mostly wait."""
    if not any("station_disk" in getattr(item, "fixturenames", ()) for item in request.session.items):
        yield None
        return
    with ThreadPoolExecutor(1) as builder:
        yield builder.submit(installed, tmp_path_factory.mktemp("station"))


@pytest.fixture(scope="session")
def whole_machine(coming_disk: Future[Path] | None) -> None:
    """What a `Machine` is made of is there as well."""


@pytest.fixture(scope="session")
def station_disk(whole_machine: None, coming_disk: Future[Path]) -> Path:
    """A disk with the door station installed on it; each machine boots a copy."""
    return coming_disk.result()


class GuestModule:
    """One test module in a guest of its own, and the reports that come back from it."""

    def __init__(self, guest: Guest, node_ids: list[str]) -> None:
        self._guest = guest
        for folder in ("intercom", "tests"):  # which the guest itself could not write, and would compile every time
            compileall.compile_dir(CHECKOUT / folder, quiet=1)
        pytest_command = [sys.executable, "-m", "pytest", "-q", *WITHOUT, f"--rootdir={CHECKOUT}"]
        environment = f"PYTHONDONTWRITEBYTECODE=1 {IN_GUEST}={SHARED / REPORTS} {CACHE}={shlex.quote(str(cache()))}"
        script = f"{environment} exec {shlex.join([*pytest_command, *node_ids])}"
        self._run = guest.start(script, limit_s=MODULE_LIMIT_S)
        self._reports: list[str] = []

    def reports(self, config: pytest.Config, node_id: str) -> Iterator[pytest.TestReport]:
        """Yield a test's reports (set-up, call, tear-down) as they come; raise `GuestError` if they do not."""
        number = 0
        while True:
            while number == len(self._reports):
                running = self._guest.running(self._run)
                self._fetch()
                if number == len(self._reports):
                    if not running:
                        raise GuestError(f"the guest's pytest ended before {node_id}:\n{self._said()}")
                    time.sleep(LOOK_AGAIN_S)
            data = json.loads(self._reports[number])
            number += 1
            if data["nodeid"] == node_id:
                report = config.hook.pytest_report_from_serializable(config=config, data=data)
                yield report
                if report.when == "teardown":
                    return

    def _fetch(self) -> None:
        path = self._guest.shared / REPORTS
        if path.exists():
            self._reports = path.read_text().split("\n")[:-1]

    def _said(self) -> str:
        return f"{self._guest.output(self._run)[-4000:]}\n--- console ---\n{self._guest.console()[-2000:]}"


class GuestModules:
    """The host's side: keeps the guest of the module whose tests are running."""

    def __init__(self, readiness: Readiness) -> None:
        self._readiness = readiness
        self._path: Path | None = None
        self._module: GuestModule | Exception = GuestError("no module has started")
        self._guests = ExitStack()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        """Take the reports of a test under inside/ from its guest instead of running it."""
        if item.path.parent != INSIDE:
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        for report in self._reports(item):
            item.ihook.pytest_runtest_logreport(report=report)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        if nextitem is None or nextitem.path != item.path:
            self._close()
        return True

    def pytest_sessionfinish(self) -> None:
        """Power off the guest of a run that was broken off."""
        self._close()

    def _reports(self, item: pytest.Item) -> Iterator[pytest.TestReport]:
        if refusal := self._readiness.refusal(item):
            yield _report(item, refusal)
            return
        if item.path != self._path:
            self._start(item)
        try:
            if isinstance(self._module, Exception):
                raise self._module
            yield from self._module.reports(item.config, item.nodeid)
        except UnavailableError as reason:  # what a module makes ready for itself alone
            yield _report(item, reason if wish() == "on" else pytest.skip.Exception(str(reason)))
        except GuestError as error:
            yield _report(item, error)

    def _start(self, item: pytest.Item) -> None:
        self._close()
        self._path = item.path
        node_ids = [other.nodeid for other in item.session.items if other.path == item.path]
        try:
            # A module may have a function `on_host` that makes ready what its guest needs.
            module = item.getparent(pytest.Module)
            getattr(module and module.obj, "on_host", _nothing)()
            self._module = GuestModule(self._guests.enter_context(Guest(arguments=CARDS)), node_ids)
        except (UnavailableError, GuestError) as error:
            self._module = error

    def _close(self) -> None:
        self._path = None
        self._guests.close()


def _nothing() -> None:
    """Make nothing ready."""


def _report(item: pytest.Item, why: BaseException) -> pytest.TestReport:
    """Return a report that this side makes up: skipped for a skip, failed for anything else."""
    if isinstance(why, pytest.skip.Exception):
        place = (str(item.path), 0, f"Skipped: {why}")
        return pytest.TestReport(item.nodeid, item.location, {}, "skipped", place, "setup")
    return pytest.TestReport(item.nodeid, item.location, {}, "failed", str(why), "setup")


class ReportWriter:
    """The guest's side: writes each report where the host reads it."""

    def __init__(self, config: pytest.Config, path: Path) -> None:
        self._config = config
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one report as a line of JSON."""
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        with self._path.open("a") as file:
            file.write(json.dumps(data) + "\n")


def pytest_configure(config: pytest.Config) -> None:
    """Take the side that this pytest is on."""
    if reports := os.environ.get(IN_GUEST):
        config.pluginmanager.register(ReportWriter(config, Path(reports)))
    else:
        readiness = Readiness()
        config.pluginmanager.register(readiness)
        config.pluginmanager.register(GuestModules(readiness))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give tests that boot their own machines the time that it takes; a guest's module has a limit of its own."""
    for item in items:
        if IN_GUEST not in os.environ and Path(__file__).parent in item.path.parents:
            limit_s = 0 if item.path.parent == INSIDE else TEST_LIMIT_S
            item.add_marker(pytest.mark.timeout(limit_s), append=True)
