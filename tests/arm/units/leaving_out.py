"""A pytest plugin that leaves out what an emulated processor cannot show, each test for a reason that is written down.

The reasons are in left_out.toml: by the name of a folder, file or test, and by a fixture. Files on the list are not
even imported: what they import may not be there.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

from tests.parts import ROOT

LIST = Path(__file__).with_name("left_out.toml")
EXAMPLES = 10
"""Number of examples of each property that names none of its own; without emulation it is 100."""


@dataclass(frozen=True)
class LeftOut:
    """What is left out, and why: each maps what is named to its reason."""

    names: Mapping[str, str]
    """Of folders, files and tests, as pytest writes them; a name without its parameters means all of them."""
    fixtures: Mapping[str, str]

    def why(self, name: str, fixtures: Iterable[str] = ()) -> str | None:
        """Return why a test, file or folder is left out; None for one that is run."""
        ends = [at for at, letter in enumerate(name) if letter in "/:["]
        reasons = [self.names.get(name[:end]) for end in [*ends, len(name)]] + [
            self.fixtures.get(one) for one in fixtures
        ]
        return next((reason for reason in reasons if reason), None)

    def files(self) -> dict[str, str]:
        """Return the folders and files of which no test is run, each with its reason."""
        return {name: why for name, why in self.names.items() if "::" not in name}


def left_out(file: Path = LIST) -> LeftOut:
    """Read the list."""
    with file.open("rb") as opened:
        tables = tomllib.load(opened)
    by_name = [{name: why for why, names in tables[kind].items() for name in names} for kind in ("names", "fixtures")]
    return LeftOut(*by_name)


def pytest_sessionstart() -> None:
    """Take fewer examples of each property: those of `tests/conftest.py` are loaded by now."""
    settings.register_profile("emulated", settings.default, max_examples=EXAMPLES)
    settings.load_profile("emulated")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leave out the folders and files on the list."""
    return True if left_out().why(collection_path.relative_to(ROOT).as_posix()) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests on the list, and those that ask for one of its fixtures."""
    listed = left_out()
    for item in items:
        if why := listed.why(item.nodeid, getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason=why))
