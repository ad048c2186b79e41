"""The table of commands: whoever shows, parses or lets in commands has them from it."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
import shtab

from intercom.cli import main, manual
from intercom.cli.command import Argument, Command, takes
from intercom.cli.command_table import TABLE
from intercom.cli.ssh import rules
from intercom.control import ssh_gate
from intercom.control.errors import GateError
from intercom.control.roles import ROLES

DOCS = Path(__file__).parents[2] / "docs"
RUN = [command for command in TABLE if command.run]
NEW = Command("brew", "make coffee", f"{__name__}:brew", (takes("--cups", metavar="COUNT", ssh="[0-9]"),), "operator")
"""A command that is one row and a function."""


def brew(options: argparse.Namespace) -> int:
    return int(options.cups)


def admits(role: str, words: str, table: tuple[Command, ...] = TABLE) -> bool:
    try:
        ssh_gate.admit(rules(role, table), words, role=role, terminal=False)
    except GateError:
        return False
    return True


def test_a_command_is_one_row_and_its_function() -> None:
    table = (*TABLE, NEW)
    options = main.parser(table).parse_args(["brew", "--cups", "3"])
    assert options.command(options) == 3
    assert ".B brew" in manual.man_page(table)
    assert "| `intercom brew [--cups COUNT]` | Make coffee. | operator |" in manual.fill(
        (DOCS / "commands.md").read_text(), table
    )
    assert "`brew`" in manual.fill((DOCS / "ssh.md").read_text(), table)
    assert "brew" in shtab.complete(main.parser(table), "bash")
    assert admits("operator", "brew --cups 3", table)
    assert not admits("viewer", "brew --cups 3", table)


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.words)
def test_every_command_is_everywhere(command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    module, _, function = command.run.partition(":")
    assert callable(getattr(import_module(module, "intercom"), function))
    with pytest.raises(SystemExit):
        main.main([*command.words.split(), "--help"])
    assert capsys.readouterr().out.startswith(f"usage: intercom {command.words} ")
    roff = command.words.replace("-", "\\-")
    assert re.search(rf"^\.B {re.escape(roff)}( |$)", (DOCS / "intercom.1").read_text(), re.MULTILINE)
    assert f"| `intercom {command.words}" in (DOCS / "commands.md").read_text()
    *above, last = command.words.split()
    known = "_".join(["_shtab_intercom", *above, "subparsers"]).replace("-", "_")
    assert re.search(rf"^{known}=\((.* )?{last}( .*)?\)$", (DOCS / "intercom.bash").read_text(), re.MULTILINE)


@pytest.mark.parametrize("command", TABLE, ids=lambda command: command.words)
def test_a_role_may_run_what_the_table_says_and_nothing_else(command: Command) -> None:
    may = [role for role in ROLES if command.words in rules(role)]
    assert may == (list(ROLES[ROLES.index(command.role) :]) if command.role else [])


@pytest.mark.parametrize(
    "command", [command for command in TABLE if not command.role], ids=lambda command: command.words
)
def test_a_command_without_a_role_does_not_come_through_ssh(command: Command) -> None:
    assert not admits("operator", command.words)


@pytest.mark.parametrize(
    ("command", "argument"),
    [(command, argument) for command in TABLE if command.role for argument in command.takes if argument.ssh is None],
    ids=lambda value: getattr(value, "words", None) or value.names[0],
)
def test_an_argument_without_a_pattern_does_not_come_through_ssh(command: Command, argument: Argument) -> None:
    rule = rules("operator")[command.words]
    assert not set(argument.names) & {*rule.options, *(value.name for value in rule.words)}


@pytest.mark.parametrize("command", RUN, ids=lambda command: command.words)
def test_every_value_has_a_form_for_people(command: Command) -> None:
    assert all(
        argument.settings.get("metavar") or argument.settings.get("choices")
        for argument in command.takes
        if argument.takes_value
    )


def test_the_table_loads_no_command() -> None:
    code = "import sys, intercom.cli.main; print([n for n in sys.modules if n.startswith('intercom')])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "intercom.cli.command_table" in loaded
    assert not [name for name in ("cli.ssh", "cli.space", "doctor", "ssh_gate", "intercom.config") if name in loaded]
