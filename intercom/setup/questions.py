"""One question of setup's dialogue: it is asked until the answer is valid, or the person wants the one before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from intercom.cli.render import printable
from intercom.config.panel import GPIO_HIGHEST, NO_GPIO

BACK = "back"
"""Answer that returns to the question before."""
NONE = "none"
"""Answer that names no pin."""


class BackError(Exception):
    """The person wants to return to the question before."""


class Person(Protocol):
    """The person who answers the questions."""

    def say(self, text: str = "") -> None:
        """Show a text to the person."""

    def ask(self, prompt: str) -> str:
        """Return the person's line; raises EOFError at the end of the input."""

    def ask_secret(self, prompt: str) -> str:
        """Return the person's line without showing it."""


def until_valid(
    person: Person, default: str, understand: Callable[[str], Any], hint: str, *, may_be_empty: bool = False
) -> Any:
    """Ask until the answer is valid; raises `BackError` when the person wants the question before."""
    while True:
        said = person.ask(f"  [{default}] > ").strip() or default
        if said == BACK:
            raise BackError
        if said or may_be_empty:
            meant = understand(said)
            if meant is not None:
                return meant
        person.say(f"  {hint}")


def choose(person: Person, choices: dict[str, str], default: str, *, others: bool = False) -> str:
    """Ask for one of the choices, by its number or its name; with `others` any text counts."""
    names: Sequence[str] = list(choices) if default in choices else [*choices, default]
    for number, name in enumerate(names, start=1):
        person.say(f"  {number}  {printable(name):<12} {choices.get(name, 'as it is set')}".rstrip())

    def understand(said: str) -> str | None:
        if said.isascii() and said.isdigit() and 1 <= int(said) <= len(names):
            return names[int(said) - 1]
        return said if said in names or (others and ":" in said) else None

    hint = f"A number from 1 to {len(names)}, or the word" + (", or an ALSA name (plughw:CARD=…)." if others else ".")
    meant: str = until_valid(person, default, understand, hint)
    return meant


def yes_or_no(person: Person, default: bool) -> bool:
    """Ask for yes or no."""
    words = {"y": True, "yes": True, "n": False, "no": False}
    meant: bool = until_valid(person, "yes" if default else "no", lambda said: words.get(said.lower()), "Yes or no.")
    return meant


def gpio(person: Person, what: str, default: int, *, optional: bool = False) -> int:
    """Ask for the GPIO number of a part; `NO_GPIO` stands for one that there is not, where it is `optional`."""

    def understand(said: str) -> int | None:
        if optional and said == NONE:
            return NO_GPIO
        return int(said) if said.isascii() and said.isdigit() and int(said) <= GPIO_HIGHEST else None

    person.say(f"  {what}: which GPIO?")
    shown = NONE if default == NO_GPIO else str(default)
    hint = f"A GPIO number from 0 to {GPIO_HIGHEST}{', or none' if optional else ''}."
    meant: int = until_valid(person, shown, understand, hint)
    return meant
