"""Write `man intercom` and the shell's completion from the commands themselves."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import NamedTuple

EXIT_STATUSES = (
    (0, "good"),
    (1, "trouble: something is broken, or the command failed"),
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


class Command(NamedTuple):
    """One command."""

    words: tuple[str, ...]
    """Words of the command with its parents: ("door", "open")."""
    help: str
    """One-line help."""
    parser: argparse.ArgumentParser
    """Parser of its options and arguments."""


def commands(parser: argparse.ArgumentParser, above: tuple[str, ...] = ()) -> Iterator[Command]:
    """Yield every command that can be run, in the order of the help."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, child in action.choices.items():
            words = (*above, name)
            below = list(commands(child, words))
            required = any(isinstance(item, argparse._SubParsersAction) and item.required for item in child._actions)
            if not required:
                yield Command(words, helps.get(name, ""), child)
            yield from below


def _takes(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    """Yield each option and argument: its form and its help."""
    for action in parser._actions:
        if isinstance(action, (argparse._SubParsersAction, argparse._HelpAction)):
            continue
        value = str(action.metavar or (_choices(action) if action.choices else action.dest.upper()))
        if not action.option_strings:
            yield (f"[{value}]" if action.nargs == "?" else value), action.help or ""
        elif action.nargs == 0:
            yield ", ".join(action.option_strings), action.help or ""
        else:
            yield f"{', '.join(action.option_strings)} {value}", action.help or ""


def _choices(action: argparse.Action) -> str:
    return "|".join(str(choice) for choice in action.choices or ())


def man_page(parser: argparse.ArgumentParser) -> str:
    """Return `man 1 intercom` (man(7))."""
    lines = [
        '.TH INTERCOM 1 "" "Intercom" "Intercom"',
        ".SH NAME",
        f"intercom \\- {_roff(_lower(parser.description))}",
        ".SH SYNOPSIS",
        ".B intercom",
        ".I COMMAND",
        "[options]",
        ".SH COMMANDS",
    ]
    for command in commands(parser):
        takes = list(_takes(command.parser))
        words = " ".join([*command.words, *(word for word, _ in takes if not word.startswith("-"))])
        lines += [".TP", f".B {_roff(words)}", _roff(command.help[:1].upper() + command.help[1:]) + "."]
        for word, help_ in takes:
            if help_:
                lines += [".RS", ".TP", f".B {_roff(word)}", _roff(help_), ".RE"]
    lines.append(".SH EXIT STATUS")
    for status, meaning in EXIT_STATUSES:
        lines += [".TP", f".B {status}", _roff(meaning)]
    for title, entries in (("FILES", _FILES), ("ENVIRONMENT", _ENVIRONMENT)):
        lines.append(f".SH {title}")
        for name, meaning in entries:
            lines += [".TP", f".I {_roff(name)}", _roff(meaning)]
    return "\n".join(lines) + "\n"


def _lower(text: str | None) -> str:
    text = (text or "").rstrip(".")
    return text[:1].lower() + text[1:]


def _roff(text: str) -> str:
    """Escape a text so that troff prints it, whatever it begins with."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-").replace("`", "").replace("%%", "%")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


def bash_completion(parser: argparse.ArgumentParser) -> str:
    """Return the completion for bash: commands, actions, options and choices; file names where a file is wanted."""
    table: dict[str, list[str]] = {"": []}
    for command in commands(parser):
        for depth, word in enumerate(command.words):
            known = table.setdefault(" ".join(command.words[:depth]), [])
            if word not in known:
                known.append(word)
        mine = table.setdefault(" ".join(command.words), [])
        for action in command.parser._actions:
            mine += [option for option in action.option_strings if option.startswith("--")]
            if not action.option_strings and action.choices and not isinstance(action, argparse._SubParsersAction):
                mine += [str(choice) for choice in action.choices]
    cases = "\n".join(f'    "{words}") known="{" ".join(known)}" ;;' for words, known in table.items())
    return f"""# Completion of `intercom` for bash. Generated by `make docs`.
_intercom() {{
  local word=${{COMP_WORDS[COMP_CWORD]}} said="" known="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    case ${{COMP_WORDS[at]}} in -*) break ;; esac
    case "$said" in
    "" | door | config | space | ssh-key) said="${{said:+$said }}${{COMP_WORDS[at]}}" ;;
    esac
  done
  case "$said" in
{cases}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$known" -- "$word")
}}
complete -o default -F _intercom intercom
"""
