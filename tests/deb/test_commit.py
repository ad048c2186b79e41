"""The package's version: the tag's, and for any other commit one that apt takes for an upgrade."""

from __future__ import annotations

import re
import shutil
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from deb.commit import last_change, package_version


class Checkout:
    """A repository with a commit for each time that it is told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git("init", "-q")

    def git(self, *words: str, date: str = "") -> None:
        own = ["-c", "user.name=Anna", "-c", "user.email=anna@localhost", "-c", "commit.gpgsign=false"]
        dated = {"GIT_COMMITTER_DATE": date} if date else {}
        command = ["git", "-C", str(self.folder), *own, *words]
        subprocess.run(command, check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **dated})

    def commit(self, date: str) -> str:
        """Commit nothing at this time; return the version of a package of it."""
        self.git("commit", "-q", "--allow-empty", "-m", "A change", date=date)
        return package_version(self.folder, "1.2.3")


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_a_tagged_commit_has_the_tag_s_version(checkout: Checkout) -> None:
    checkout.commit("2026-11-28T10:00:00Z")
    checkout.git("tag", "v1.2.3")
    assert package_version(checkout.folder, "1.2.3") == "1.2.3"


def test_a_commit_without_a_tag_adds_its_time_and_its_name(checkout: Checkout) -> None:
    version = checkout.commit("2026-11-28T10:00:00Z")
    assert re.fullmatch(r"1\.2\.3\+git20261128\.100000\.[0-9a-f]{9}", version)


def test_a_checkout_without_git_has_the_program_s_version(tmp_path: Path) -> None:
    assert package_version(tmp_path, "1.2.3") == "1.2.3"


def test_a_checkout_without_git_was_changed_when_its_project_file_was(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    assert last_change(tmp_path) == int((tmp_path / "pyproject.toml").stat().st_mtime)


@pytest.mark.skipif(shutil.which("dpkg") is None, reason="dpkg compares versions")
def test_each_build_is_an_upgrade_of_the_one_before(checkout: Checkout) -> None:
    earlier = checkout.commit("2026-11-28T10:00:00Z")
    later = checkout.commit("2026-11-28T10:00:01Z")
    builds = [f"{version}+deb12" for version in ("1.2.3", earlier, later, "1.2.4")]
    for one, next_one in pairwise(builds):
        subprocess.run(["dpkg", "--compare-versions", one, "lt", next_one], check=True)
