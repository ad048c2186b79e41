"""The documentation's index: every page for people is in it, so that nobody has to guess from file names."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.readme import README, ROOT
from tests.test_docs import LINK, PAGES, name_of, prose

INDEX = ROOT / "docs/README.md"
LISTED = {(INDEX.parent / link).resolve() for link in LINK.findall(prose(INDEX))}


@pytest.mark.parametrize("page", [page for page in PAGES if page != INDEX], ids=name_of)
def test_every_page_is_in_the_index(page: Path) -> None:
    assert page.resolve() in LISTED, f"add a line for it to {name_of(INDEX)}"


def test_the_readme_leads_to_the_index() -> None:
    assert "](docs/README.md)" in README
