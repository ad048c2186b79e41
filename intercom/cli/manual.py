"""Write `man intercom`, and the lists in docs/, from the table of commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from intercom.cli.command import Argument, Command
from intercom.cli.command_table import ABOUT, TABLE
from intercom.cli.shared_arguments import COMMON
from intercom.cli.ssh import rules
from intercom.control.roles import ROLES
from intercom.control.ssh_gate import Value

EXIT_STATUSES = (
    (0, "good"),
    (1, "trouble: something is broken or the door is not registered; or the command failed"),
    (2, "the command was not understood"),
    (3, "the door station is not running"),
    (4, "it runs and does not answer"),
    (5, "it refused; the sentence says why"),
    (6, "this user, or this SSH key, may not do that"),
    (75, "the sound card is busy; the same works once it is free"),
    (78, "the configuration is wrong"),
)
_FILES = (
    ("/etc/intercom/intercom.toml", "the configuration; `intercom config example` shows every setting"),
    ("/run/intercom/control.sock", "the control socket: who is in its group may command the door"),
    ("/etc/intercom/ssh/authorized_keys", "who may run commands over SSH; `intercom ssh-key` writes it"),
    ("/var/lib/intercom", "what survives a restart of the door: the call log, levels, chosen devices"),
    ("/var/lib/intercom-space", "what survives a restart of the space: pairings, keys, the door's credential"),
)
_ENVIRONMENT = (
    ("INTERCOM_SOCKET", "the control socket, if it is not where it is looked for"),
    ("NO_COLOR", "if set, no colour"),
)

END = "<!-- end -->"


def _value(argument: Argument) -> str:
    """Return what stands for the argument's value: FILE, or the values that there are."""
    value: str = argument.settings.get("metavar") or "|".join(argument.settings.get("choices", ()))
    return f"[{value}]" if argument.settings.get("nargs") == "?" else value


def _form(argument: Argument) -> str:
    """Return the argument as the manual shows it: "--config FILE", "[ADDRESS]"."""
    if not argument.is_option:
        return _value(argument)
    value = _value(argument) if argument.takes_value else ""
    return f"{', '.join(argument.names)} {value}".rstrip()


def man_page(table: Sequence[Command] = TABLE) -> str:
    """Return `man 1 intercom` (man(7))."""
    lines = [
        '.TH INTERCOM 1 "" "Intercom" "Intercom"',
        ".SH NAME",
        f"intercom \\- {ABOUT}",
        ".SH SYNOPSIS",
        ".B intercom",
        ".I COMMAND",
        "[options]",
        ".SH COMMANDS",
    ]
    for command in table:
        if not command.run:
            continue
        words = " ".join([command.words, *(_form(argument) for argument in command.takes if not argument.is_option)])
        lines += [".TP", f".B {_roff(words)}", _roff(command.about)]
        for argument in command.takes:
            if told := argument.settings.get("help"):
                lines += [".RS", ".TP", f".B {_roff(_form(argument))}", _roff(told), ".RE"]
    lines.append(".SH EXIT STATUS")
    for status, meaning in EXIT_STATUSES:
        lines += [".TP", f".B {status}", _roff(meaning)]
    for title, entries in (("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        lines.append(f".SH {title}")
        for name, meaning in entries:
            lines += [".TP", f".I {_roff(name)}", _roff(meaning)]
    return "\n".join(lines) + "\n"


def _roff(text: str) -> str:
    """Escape a text so that troff prints it, whatever it begins with."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("%%", "%")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def fill(page: str, table: Sequence[Command] = TABLE) -> str:
    """Return a page of docs/ with its lists written anew, each between its marks."""
    lists = {"commands": _commands(table), "roles": _roles(table), "exit statuses": _exit_statuses()}
    for name, lines in lists.items():
        before, mark, rest = page.partition(f"<!-- {name}: `make docs` writes them -->\n")
        if mark:
            text = "\n".join(lines)
            page = f"{before}{mark}\n{text}\n\n{END}{rest.partition(END)[2]}"
    return page


def write_lists(*pages: str) -> None:
    """Write the lists in these files anew."""
    for page in map(Path, pages):
        page.write_text(fill(page.read_text(encoding="utf-8")), encoding="utf-8")


def _commands(table: Sequence[Command]) -> list[str]:
    lines = ["| command | does | over SSH |", "|---|---|---|"]
    for command in table:
        if command.run:
            forms = [_short(argument) for argument in command.takes if argument not in COMMON]
            words = " ".join(["intercom", command.words, *forms]).replace("|", "\\|")
            lines.append(f"| `{words}` | {command.about} | {command.role or '-'} |")
    return lines


def _short(argument: Argument) -> str:
    """Return the argument as the list shows it: "[--config FILE]", "[ADDRESS]"."""
    if not argument.is_option:
        return _form(argument)
    return f"[{argument.names[0]} {_value(argument)}]" if argument.takes_value else f"[{argument.names[0]}]"


def _roles(table: Sequence[Command]) -> list[str]:
    lines, before = ["| role | may say |", "|---|---|"], set[str]()
    for role in ROLES:
        said = [
            " ".join([name, *(_said(value) for value in rule.words if value.required)])
            for name, rule in rules(role, table).items()
            if name not in before
        ]
        lines.append(f"| {role} | {'the same, and ' if before else ''}{', '.join(f'`{words}`' for words in said)} |")
        before |= rules(role, table).keys()
    return lines


def _said(value: Value) -> str:
    """Return a word that a command needs, or its name where it may be any of many."""
    return value.pattern if value.pattern.isalpha() or value.pattern == "-" else value.name.upper()


def _exit_statuses() -> list[str]:
    return ["| status | meaning |", "|---|---|", *(f"| {status} | {meaning} |" for status, meaning in EXIT_STATUSES)]
