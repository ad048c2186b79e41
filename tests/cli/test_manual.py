"""The manual page, the completion and the lists in docs/, held to the table of commands."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
import shtab

from intercom.cli import main, manual

DOCS = Path(__file__).parents[2] / "docs"


def test_the_manual_page_is_that_of_the_commands() -> None:
    assert (DOCS / "intercom.1").read_text() == manual.man_page(), "run `make docs`"


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_page_without_a_warning() -> None:
    show = ["man", "--local-file", "--warnings", str(DOCS / "intercom.1")]
    environ = {**os.environ, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(show, capture_output=True, text=True, env=environ, timeout=60, check=True)
    assert done.stderr == ""
    assert "door open" in done.stdout


def test_the_completion_is_that_of_the_commands() -> None:
    assert (DOCS / "intercom.bash").read_text() == shtab.complete(main.parser(), "bash") + "\n", "run `make docs`"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("intercom sta", {"status"}),
        ("intercom door ", {"open"}),
        ("intercom status --j", {"--json"}),
        ("intercom mute m", {"microphone"}),
        ("intercom ssh-key ", {"add", "list", "remove"}),
        ("intercom ssh-key add --role ", {"viewer", "operator"}),
        ("intercom config check interc", {"intercom.1", "intercom.bash"}),
    ],
)
def test_bash_completes(line: str, wanted: set[str]) -> None:
    script = f"""source {DOCS / "intercom.bash"}
      line={line!r}; COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=("")
      COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _shtab_intercom; printf '%s\\n' "${{COMPREPLY[@]}}" """
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=DOCS)
    assert set(done.stdout.split()) == wanted


@pytest.mark.parametrize("page", ["commands.md", "ssh.md"])
def test_the_lists_of_a_page_are_those_of_the_commands(page: str) -> None:
    text = (DOCS / page).read_text()
    assert "`make docs` writes them" in text
    assert text == manual.fill(text), "run `make docs`"
