"""The page for whoever carries on: the files, names, tests and parts that it names are there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

import pytest

from tests.parts import parts
from tests.readme import README, ROOT
from tests.test_docs import SPAN, typed

PAGE = ROOT / "CONTRIBUTING.md"
TEXT = PAGE.read_text(encoding="utf-8")
FILES = sorted(
    {span for span in SPAN.findall(TEXT) if re.fullmatch(r"[a-z_][\w.-]*/[a-z_\w./-]*|\w+\.(?:sh|toml)", span)}
)
PLACES = re.findall(r"`(\w+)` (?:of|in) `(\w[\w./]+)`", re.sub(r"\s+", " ", TEXT))


def test_the_readme_leads_to_it() -> None:
    assert "](CONTRIBUTING.md)" in README


@pytest.mark.parametrize("file", [file for file in FILES if "NAME" not in file])
def test_every_file_that_it_names_is_there(file: str) -> None:
    assert (ROOT / file).exists()


@pytest.mark.parametrize(("name", "file"), PLACES)
def test_every_name_is_in_the_file_that_it_is_said_to_be_in(name: str, file: str) -> None:
    assert re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8"))


def test_every_part_that_it_names_is_one() -> None:
    named = set(re.findall(r"PART=(\w+)", TEXT))
    assert named
    assert named <= set(parts(ROOT / "tests"))


@pytest.mark.parametrize("test", sorted(set(re.findall(r"`(test_[a-z_]+)`", TEXT))))
def test_every_test_that_it_names_is_there(test: str) -> None:
    assert [file for file in (ROOT / "tests").rglob("test_*.py") if f"def {test}(" in file.read_text(encoding="utf-8")]


def test_the_one_test_that_it_runs_is_there() -> None:
    [line] = [line for line in typed(PAGE) if " -m pytest " in line]
    words = shlex.split(line)
    command = [sys.executable, *words[1:], "--collect-only", "-q"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, check=False).returncode == 0
