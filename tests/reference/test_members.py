"""The members that the page's tables are made of are those of the package."""

from __future__ import annotations

import pytest

from .components import check_out, why_no_components
from .members import all_options, declared, written
from .sdk import fetch_packages

NEWEST = "4.0.0-rc.2"


def test_the_members_written_down_are_those_that_the_package_declares() -> None:
    fetch_packages()
    version, members = declared()
    assert written()[version] == members, "run python -m tests.reference.members, then `make docs`"


@pytest.mark.skipif(bool(why_no_components()), reason=why_no_components())
def test_the_options_written_down_of_the_newest_state_are_those_of_its_sources() -> None:
    sources = check_out() / "packages" / "main" / "src"
    options = all_options("\n".join(path.read_text(encoding="utf-8") for path in sorted(sources.rglob("*.ts"))))
    assert options == {name: written()[NEWEST][name] for name in options}
