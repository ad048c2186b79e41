"""The checks before a commit: the same as those of `make check`, and one that fails keeps the commit back."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme import ROOT

CONFIG = ROOT / ".pre-commit-config.yaml"
UNUSED_IMPORT = "import os\n"


def run(checkout: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a checkout, with none of the git settings of whoever runs the tests."""
    alone = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    environment = {**alone, **own, "PRE_COMMIT_HOME": str(checkout / ".git/pre-commit"), **more}
    return subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=False)


def git(checkout: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return run(checkout, "git", "-c", "user.name=Anna", "-c", "user.email=anna@localhost", *words, **more)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with this one's rules and environment, in which the checks are switched on."""
    for file in (CONFIG, ROOT / "pyproject.toml"):
        shutil.copy(file, tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / ".gitignore").write_text(".venv\n")
    git(tmp_path, "init", "-q")
    run(tmp_path, sys.executable, "-m", "pre_commit", "install").check_returncode()
    return tmp_path


def commit(checkout: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Commit a file with this text; types and import rules, which need the whole program, are left out."""
    (checkout / "new.py").write_text(text)
    git(checkout, "add", ".")
    return git(checkout, "commit", "-m", "Add it", SKIP="mypy,lint-imports")


def test_they_are_those_of_make_check() -> None:
    recipe = re.search(r"^check:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    checks = re.findall(r"^\t@\$\(BIN\)/(.*)$", recipe[1], re.MULTILINE)
    assert re.findall(r"entry: \.venv/bin/(.*)$", CONFIG.read_text(), re.MULTILINE) == checks


def test_a_commit_that_fails_a_check_is_kept_back_and_told_why(checkout: Path) -> None:
    done = commit(checkout, UNUSED_IMPORT)
    assert done.returncode == 1
    assert "F401" in done.stdout + done.stderr
    assert git(checkout, "rev-parse", "--verify", "HEAD").returncode != 0


def test_a_commit_that_passes_them_is_made(checkout: Path) -> None:
    done = commit(checkout, '"""Nothing."""\n')
    assert done.returncode == 0, done.stdout + done.stderr
