"""The gate for a restricted SSH key: which commands its role may run, and with which words; no I/O.

OpenSSH hands over what the client asked for as one text. Nothing of it ever reaches a shell: it is split into words,
each word is held against the command's own pattern, and what does not fit is refused.
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

_FLAG: re.Pattern[str] | None = None
_COUNT = re.compile(r"[0-9]{1,4}")
_WHAT = re.compile(r"microphone|speaker")
_GAIN = re.compile(r"-?[0-9]{1,2}(\.[0-9])?")
_ADDRESS = re.compile(r"(/(private|public)/|\+|sips?:)[A-Za-z0-9._~:;=?@+/-]{1,255}")


class Rule(NamedTuple):
    """The options and words that one command accepts over SSH."""

    options: Mapping[str, re.Pattern[str] | None] = {}
    """Options by name; None takes no value."""
    words: tuple[re.Pattern[str], ...] = ()
    """Words in this order; each may be left out from the end."""
    terminal: bool = False
    """Whether the command may have a terminal."""
    least: int = 0
    """Least number of words."""


_JSON: Mapping[str, re.Pattern[str] | None] = {"--json": _FLAG}
_LIST: Mapping[str, re.Pattern[str] | None] = {"--json": _FLAG, "-n": _COUNT}

VIEWER: Mapping[str, Rule] = {
    "status": Rule(_JSON),
    "watch": Rule(_JSON, terminal=True),
    "devices": Rule(_JSON),
    "calls": Rule(_LIST),
    "faults": Rule(_LIST),
    "log": Rule({"-n": _COUNT}),
    "metrics": Rule(),
}
OPERATOR: Mapping[str, Rule] = {
    **VIEWER,
    "call": Rule(words=(_ADDRESS,)),
    "answer": Rule(),
    "hangup": Rule(),
    "mute": Rule(words=(_WHAT,)),
    "unmute": Rule(words=(_WHAT,)),
    "volume": Rule(words=(_WHAT, _GAIN)),
    "camera": Rule(words=(re.compile("on|off"),)),
    "snapshot": Rule({"--last": _FLAG}, words=(re.compile("-"),), least=1),
    "door": Rule(words=(re.compile("open"),), least=1),
    "wait": Rule({"--at-most": _COUNT}),
    "restart": Rule(),
    "diagnostics": Rule(),
}
ROLES: Mapping[str, Mapping[str, Rule]] = {"viewer": VIEWER, "operator": OPERATOR}


def admit(role: str, asked: str, *, terminal: bool) -> list[str]:
    """Return the words of the permitted command; GateError, in one line that quotes nothing of `asked`, if it is not.

    `asked` is SSH_ORIGINAL_COMMAND, `terminal` whether the client asked for one.
    """
    rules = ROLES[role]
    if not asked.strip():
        raise GateError(f"there is no shell here; a {role} may say: {', '.join(rules)}")
    if len(asked) > LENGTH_LIMIT:
        raise GateError(f"the command is longer than {LENGTH_LIMIT} characters")
    if not (asked.isascii() and asked.isprintable()):
        raise GateError("the command holds characters that no command has")
    try:
        command, *words = shlex.split(asked)
    except ValueError:
        raise GateError("the command's quotes do not match") from None
    rule = rules.get(command)
    if rule is None:
        raise GateError(f"a {role} may not run that; only: {', '.join(rules)}")
    if terminal and not rule.terminal:
        raise GateError("only watch may have a terminal: leave -t away")
    _hold(rule, command, words)
    return [command, *words]


def _hold(rule: Rule, command: str, words: list[str]) -> None:
    """Check every word against the rule; GateError if one does not fit."""
    patterns, given = list(rule.words), 0
    rest = iter(words)
    for word in rest:
        if word in rule.options:
            value = rule.options[word]
            if value is not None and not value.fullmatch(next(rest, "")):
                raise GateError(f"{command} {word} takes a number")
        elif patterns and patterns.pop(0).fullmatch(word):
            given += 1
        else:
            raise GateError(f"{command} does not take such words over SSH")
    if given < rule.least:
        raise GateError(f"{command} needs to be told what")


def shown(asked: str) -> str:
    """Return a refused command in a form that is safe to log: one short line without control characters."""
    return ascii(asked[:SHOWN]) + (f" and {len(asked) - SHOWN} more characters" if len(asked) > SHOWN else "")
