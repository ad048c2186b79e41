"""The members that the page's tables are made of are those of the package."""

from __future__ import annotations

from .members import declared, written
from .sdk import fetch_packages


def test_the_members_written_down_are_those_that_the_package_declares() -> None:
    fetch_packages()
    version, members = declared()
    assert written()[version] == members, "run python -m tests.reference.members, then `make docs`"
