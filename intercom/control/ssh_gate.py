"""The gate for a restricted SSH key: which commands its role may run, and with which words; no I/O.

OpenSSH hands over what the client asked for as one text. Nothing of it ever reaches a shell: it is split into words,
each word is held against the command's own pattern, and what does not fit is refused. The command then runs on the
values that were found here; nobody parses the words again.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

from intercom.control.errors import GateError

LENGTH_LIMIT = 512
"""Limit of a command's characters: the longest, a call to a long SIP address, is half of it."""
SHOWN = 120
"""Limit of a refused command's characters in the log."""


class Value(NamedTuple):
    """A word that a command takes over SSH, or the value of one of its options."""

    name: str
    """Name of the value in the request."""
    pattern: str
    """Regular expression that matches the whole value; empty for an option that takes none."""
    required: bool = False
    """Whether the command needs it."""


class Rule(NamedTuple):
    """The options and words that one command accepts over SSH."""

    options: Mapping[str, Value] = {}
    """Values by option."""
    words: tuple[Value, ...] = ()
    """Words in this order; what is not required may be left out from the end."""
    terminal: bool = False
    """Whether the command may have a terminal."""


class Request(NamedTuple):
    """A command that the gate lets through."""

    command: str
    """The command as the rules name it."""
    values: Mapping[str, str | bool]
    """Values given, by the argument's name; True for an option that takes no value."""


def admit(rules: Mapping[str, Rule], asked: str, *, role: str, terminal: bool) -> Request:
    """Return the permitted command; GateError, in one line that quotes nothing of `asked`, if it is not permitted.

    `rules` are those of the role, by command; `asked` is SSH_ORIGINAL_COMMAND, `terminal` whether the client asked for
    one.
    """
    if not asked.strip():
        raise GateError(f"there is no shell here; a {role} may say: {', '.join(rules)}")
    if len(asked) > LENGTH_LIMIT:
        raise GateError(f"the command is longer than {LENGTH_LIMIT} characters")
    if not (asked.isascii() and asked.isprintable()):
        raise GateError("the command holds characters that no command has")
    try:
        words = shlex.split(asked)
    except ValueError:
        raise GateError("the command's quotes do not match") from None
    command = max((name for name in rules if words[: name.count(" ") + 1] == name.split(" ")), key=len, default="")
    if not command:
        raise GateError(f"a {role} may not run that; only: {', '.join(rules)}")
    if terminal and not rules[command].terminal:
        may = " and ".join(name for name in rules if rules[name].terminal)
        raise GateError(f"only {may or 'nothing'} may have a terminal: leave -t away")
    return Request(command, _values(rules[command], command, words[command.count(" ") + 1 :]))


def _values(rule: Rule, command: str, words: list[str]) -> dict[str, str | bool]:
    """Return what the words say, each held against the rule; GateError if one does not fit."""
    values: dict[str, str | bool] = {}
    free, rest = list(rule.words), iter(words)
    for word in rest:
        option = rule.options.get(word)
        if option is not None and not option.pattern:
            values[option.name] = True
        elif option is not None:
            value = next(rest, "")
            if not re.fullmatch(option.pattern, value):
                raise GateError(f"{command} {word} takes another value")
            values[option.name] = value
        elif free and re.fullmatch(free[0].pattern, word):
            values[free.pop(0).name] = word
        else:
            raise GateError(f"{command} does not take such words over SSH")
    if any(value.required for value in free):
        raise GateError(f"{command} needs to be told what")
    return values


def shown(asked: str) -> str:
    """Return a refused command in a form that is safe to log: one short line without control characters."""
    return ascii(asked[:SHOWN]) + (f" and {len(asked) - SHOWN} more characters" if len(asked) > SHOWN else "")
