"""A command and what it takes: the types of the table's rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from intercom.cli.running_door.remote import TROUBLE

if TYPE_CHECKING:
    import argparse

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells have it."""


class Argument(NamedTuple):
    """An option or a word that a command takes."""

    names: tuple[str, ...]
    """Names of an option, or the one name of a word."""
    settings: Mapping[str, Any]
    """Parameters of argparse's `add_argument`."""
    ssh: str | None
    """Regular expression that its whole value matches over SSH; None if it may not be given over SSH."""

    @property
    def is_option(self) -> bool:
        """Whether the argument is an option and not a word."""
        return self.names[0].startswith("-")

    @property
    def is_required(self) -> bool:
        """Whether the command needs the argument."""
        return not self.is_option and self.settings.get("nargs") != "?"

    @property
    def takes_value(self) -> bool:
        """Whether the argument takes a value; a switch takes none."""
        return self.settings.get("action") != "store_true"

    @property
    def dest(self) -> str:
        """Name of the parsed option that holds the argument's value."""
        name: str = self.settings.get("dest") or self.names[-1].lstrip("-").replace("-", "_")
        return name

    @property
    def default(self) -> Any:
        """Value of an argument that is not given."""
        return self.settings.get("default") if self.takes_value else False

    def read(self, said: str | bool) -> Any:
        """Return the value of what was said."""
        convert: Callable[[Any], Any] = self.settings.get("type", lambda value: value)
        return convert(said)


class Command(NamedTuple):
    """A command."""

    words: str
    """Words of the command: "door open"."""
    help: str
    """One-line help."""
    run: str = ""
    """Its function, as module:name, relative to `intercom`; empty for a first word that is no command by itself."""
    takes: tuple[Argument, ...] = ()
    """Arguments and options that it takes."""
    role: str = ""
    """Least role that may run it over SSH; empty if nobody may."""
    more: str = ""
    """Further sentences of help."""
    sets: Mapping[str, Any] = {}
    """Options that are not given but follow from the command."""
    terminal: bool = False
    """Whether it may have a terminal over SSH."""

    @property
    def about(self) -> str:
        """The whole help, in sentences."""
        return " ".join(filter(None, [self.help[:1].upper() + self.help[1:] + ".", self.more]))

    def __call__(self, options: argparse.Namespace) -> int:
        """Run the command and return its exit status."""
        module, _, name = self.run.partition(":")
        try:
            status: int = getattr(import_module(module, "intercom"), name)(options)
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:
            return TROUBLE
        return status


def takes(*names: str, ssh: str | None = None, **settings: Any) -> Argument:
    """Return an argument; `settings` are those of argparse's `add_argument`."""
    return Argument(names, settings, ssh)


def count(default: int) -> Argument:
    """Return the option that limits a list to its newest entries."""
    return takes(
        "-n",
        type=int,
        default=default,
        metavar="COUNT",
        dest="count",
        help=f"how many (default: {default})",
        ssh=r"[0-9]{1,4}",
    )


def one_of(name: str, *choices: str, **settings: Any) -> Argument:
    """Return a word that is one of these and may be left out."""
    return takes(name, nargs="?", choices=choices, ssh="|".join(choices), **settings)
