"""The names that the page of members is checked against are those of the package."""

from __future__ import annotations

import json

from .members import FILE, declared
from .sdk import fetch_packages


def test_the_members_written_down_are_those_that_the_package_declares() -> None:
    fetch_packages()
    written = json.loads(FILE.read_text(encoding="utf-8"))
    assert written == declared(), "run python -m tests.reference.members, then mend tests/signalwire/reference.py"
