"""Make text from outside safe for a log, a terminal and a table."""

from __future__ import annotations

CUT = "…"
"""Mark at the place where a text was cut."""


def plain(text: object, most: int | None = None) -> str:
    """Return the text on one line, at most so many characters long, with `?` for each control or invisible character.

    Control characters, line ends, marks that turn the writing direction, and lone surrogates are not printable.
    """
    words = str(text)
    if most is not None and len(words) > most:
        words = words[: most - 1] + CUT
    return words if words.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in words)
