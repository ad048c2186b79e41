"""The manual page, the completion and docs/commands.md, held to the commands that there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from intercom.cli import main, manual

DOCS = Path(__file__).parents[2] / "docs"


def test_the_manual_page_is_that_of_the_commands() -> None:
    assert (DOCS / "intercom.1").read_text() == manual.man_page(main.parser()), "run `make docs`"


@pytest.mark.skipif(shutil.which("man") is None, reason="man is not installed")
def test_man_shows_the_page_without_a_warning() -> None:
    show = ["man", "--local-file", "--warnings", str(DOCS / "intercom.1")]
    environ = {**os.environ, "MANWIDTH": "80", "MANPAGER": "cat", "LC_ALL": "C.UTF-8"}
    done = subprocess.run(show, capture_output=True, text=True, env=environ, timeout=30, check=True)
    assert done.stderr == ""
    assert "door open" in done.stdout


def test_the_completion_is_that_of_the_commands() -> None:
    assert (DOCS / "intercom.bash").read_text() == manual.bash_completion(main.parser()), "run `make docs`"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("intercom sta", {"status"}),
        ("intercom door ", {"open", "--help"}),
        ("intercom status --j", {"--json"}),
        ("intercom mute m", {"microphone"}),
        ("intercom ssh-key ", {"add", "list", "remove"}),
    ],
)
def test_bash_completes(line: str, wanted: set[str]) -> None:
    script = f"""source {DOCS / "intercom.bash"}
      line={line!r}; COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=("")
      COMP_CWORD=$(( ${{#COMP_WORDS[@]}} - 1 )); _intercom; printf '%s\\n' "${{COMPREPLY[@]}}" """
    out = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout.split()
    assert set(out) <= wanted
    assert out


def test_the_page_of_commands_names_commands_that_there_are() -> None:
    text = (DOCS / "commands.md").read_text() + (DOCS / "ssh.md").read_text()
    named = set(re.findall(r"`intercom ([a-z-]+)", text))
    there = {command.words[0] for command in manual.commands(main.parser())}
    assert named <= there


def test_every_command_is_in_the_page_of_commands() -> None:
    text = (DOCS / "commands.md").read_text()
    others = {"run", "demo", "space", "config", "door-off", "ssh-key", "ssh-gate"}  # of other pages
    there = {" ".join(command.words) for command in manual.commands(main.parser()) if command.words[0] not in others}
    assert {words for words in there if f"`intercom {words}" not in text} == set()


def test_the_exit_statuses_are_those_of_the_page() -> None:
    rows = re.findall(r"^\| (\d+) \| ", (DOCS / "commands.md").read_text(), re.MULTILINE)
    assert [int(row) for row in rows] == [status for status, _ in manual.EXIT_STATUSES]
