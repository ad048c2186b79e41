"""The README: what it shows is there, what it tells to type works."""

import re
from pathlib import Path

import pytest

from intercom.config import loads

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
LINKS = sorted(set(re.findall(r"!?\[[^\]]*\]\(([^):]+)\)", README)))
BLOCKS = re.findall(r"^(?: {4,}.*\n|\n(?= {4}))+", README, re.MULTILINE)
SETTINGS = [block for block in BLOCKS if re.match(r"\s*\[", block)]


@pytest.mark.parametrize("link", LINKS)
def test_every_file_that_it_names_is_there(link: str) -> None:
    assert (ROOT / link).exists()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\bmake ([a-z]+)\b(?!`? [a-z])", README))))
def test_every_make_command_is_one(target: str) -> None:
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_settings_that_it_shows_are_right() -> None:
    assert SETTINGS
    for settings in SETTINGS:
        loads(re.sub(r"^ {4}", "", settings, flags=re.MULTILINE))
