"""The README: what it shows is there, what it tells to type works."""

import re

import pytest

from intercom.config import loads
from tests.readme import README, ROOT, RUN_BY, commands

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


@pytest.mark.parametrize("command", commands())
def test_every_command_is_run_by_a_test(command: str) -> None:
    assert command in RUN_BY, "no test runs it: write one, and name it in tests/readme.py"


@pytest.mark.parametrize("command", RUN_BY)
def test_every_test_that_runs_a_command_is_there(command: str) -> None:
    assert command in commands(), "the README does not tell it any more"
    file, _, test = RUN_BY[command].partition("::")
    text = (ROOT / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {test}\(" if test else rf"\b{command}\b", text, re.MULTILINE)
