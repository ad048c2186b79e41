"""The `intercom` command. It imports a command's modules only when that command runs, so that it starts at once."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from intercom import __version__
from intercom.cli.command import Command
from intercom.cli.command_table import ABOUT, TABLE
from intercom.cli.running_door.remote import USAGE

COMPLETE_A_FILE = {"bash": "_shtab_compgen_files"}
"""Function in the completion that `make docs` has shtab write, by shell."""


class _Parser(argparse.ArgumentParser):
    """A parser that lists the commands or actions when one is missing."""

    def error(self, message: str) -> NoReturn:
        if message.endswith((": COMMAND", ": ACTION")):
            self.print_help(sys.stderr)
            self.exit(USAGE)
        super().error(message)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit status."""
    words = sys.argv[1:] if arguments is None else arguments
    named = [command for command in TABLE if command.words.split(" ")[0] in words[:1]]
    options = parser(named or TABLE).parse_args(words)
    command: Command = options.command
    return command(options)


def parser(table: Sequence[Command] = TABLE) -> argparse.ArgumentParser:
    """Build the parser of these commands."""
    top = _Parser(
        prog="intercom",
        description=f"{ABOUT[0].upper()}{ABOUT[1:]}.",
        epilog="`intercom COMMAND --help` tells what a command takes, `man intercom` tells it all.",
    )
    top.add_argument("--version", action="version", version=f"intercom {__version__}")
    top.set_defaults(by="")
    below: dict[str, argparse._SubParsersAction[_Parser]] = {"": top.add_subparsers(metavar="COMMAND", required=True)}
    parsers: dict[str, tuple[Command, _Parser]] = {}
    for command in table:
        above, _, name = command.words.rpartition(" ")
        if above not in below:
            parent, its_parser = parsers[above]
            below[above] = its_parser.add_subparsers(metavar="ACTION", required=not parent.run)
        own = below[above].add_parser(name, help=command.help, description=command.about)
        parsers[command.words] = command, own
        inherited = parsers[above][0].takes if above else ()
        for argument in command.takes:
            # What stands before the action counts as well.
            given_above = {"default": argparse.SUPPRESS} if argument in inherited else {}
            action = own.add_argument(*argument.names, **{**argument.settings, **given_above})
            if argument.settings.get("type") is Path:
                action.complete = COMPLETE_A_FILE  # type: ignore[attr-defined]  # shtab looks for it
        own.set_defaults(command=command, **command.sets)
    return top
