"""Decides once, before the first test, whether this machine can run the bench.

A machine that cannot says so in one sentence: its tests are skipped with it, or where INTERCOM_HARDWARE=on the first
one fails with it and with the guest's console.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .boot import image
from .guest import HERE, Guest, GuestError
from .kernel import UnavailableError, ensure, wish

INSIDE = HERE / "inside"


def _boot() -> None:
    """Boot a guest and power it off again."""
    ensure()
    with Guest():
        pass


NEEDS: dict[str, Callable[[], object]] = {"bench_kernel": _boot, "whole_machine": image}
"""The fixtures by which a test asks for a part of the bench, in the order in which the parts are made ready."""


def needs(item: pytest.Item) -> list[str]:
    """Return the parts of the bench that a test needs."""
    if item.path.parent == INSIDE:
        return ["bench_kernel"]
    return [name for name in NEEDS if name in getattr(item, "fixturenames", ())]


def sentence(error: Exception) -> str:
    """Return why a part of the bench cannot be had, without the guest's console but for its last line."""
    said, _, console = str(error).partition("--- console ---")
    why = said.strip().partition("\n")[0].rstrip(":")
    last = console.strip().rpartition("\n")[2]
    return f"the bench kernel cannot run here: {why}" + (f"; its console ends with: {last}" if last else "")


class Readiness:
    """The host's side: makes ready what the tests ask for, and turns away those that ask for what cannot be had."""

    def __init__(self) -> None:
        self._missing: dict[str, Exception] = {}
        self._told: set[str] = set()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Make ready what is needed; no test's time runs meanwhile."""
        if session.config.option.collectonly:
            return
        wanted = {name for item in session.items for name in needs(item)}
        for name in (name for name in NEEDS if name in wanted and not self._missing):
            try:
                NEEDS[name]()
            except (UnavailableError, GuestError) as error:
                self._missing[name] = error

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Skip, or once fail, a test that needs what is not there."""
        for name in needs(item):
            if name not in self._missing:
                continue
            error = self._missing[name]
            why = sentence(error)
            if name not in self._told and self._must_run():
                self._told.add(name)
                pytest.fail(f"{why}\n\n{error}", pytrace=False)
            pytest.skip(why)

    def refusal(self, item: pytest.Item) -> Exception | None:
        """Return how a test is turned away that this side does not set up; None for one that may run."""
        try:
            self.pytest_runtest_setup(item)
        except (pytest.skip.Exception, pytest.fail.Exception) as outcome:
            return outcome
        return None

    def _must_run(self) -> bool:
        try:
            return wish() == "on"
        except UnavailableError:  # a word that is not known, which is the reason that is told
            return True
