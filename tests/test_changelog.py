"""The changelog: its newest version is the program's and the tag's, and every version has the same form."""

from __future__ import annotations

import re
import subprocess

from intercom import __version__
from tests.readme import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSIONS = re.findall(r"^## \[(.*?)\](.*)$", CHANGELOG, re.MULTILINE)
RELEASED = [name for name, _ in VERSIONS[1:]]
KINDS = {"Upgrading", "Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def test_what_is_not_released_yet_stands_first() -> None:
    assert VERSIONS[0] == ("Unreleased", "")


def test_every_released_version_has_its_number_and_its_day() -> None:
    for name, day in VERSIONS[1:]:
        assert re.fullmatch(r"\d+\.\d+\.\d+", name), name
        assert re.fullmatch(r" - \d{4}-\d\d-\d\d", day), name


def test_the_newest_version_comes_first() -> None:
    assert sorted(RELEASED, key=lambda name: [int(number) for number in name.split(".")], reverse=True) == RELEASED


def test_the_newest_version_is_the_program_s() -> None:
    assert RELEASED[0] == __version__


def test_a_tag_names_the_version_of_its_commit() -> None:
    asked = ["git", "-C", str(ROOT), "tag", "--points-at", "HEAD", "v*"]
    tags = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()
    assert tags in ([], [f"v{__version__}"])


def test_each_change_is_of_one_of_the_kinds() -> None:
    assert set(re.findall(r"^### (.*)$", CHANGELOG, re.MULTILINE)) <= KINDS
