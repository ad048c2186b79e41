"""Words from outside, as a log, a terminal and a table may show them."""

from __future__ import annotations

CUT = "…"
"""Stands where a text was cut."""


def plain(text: object, most: int | None = None) -> str:
    """The text on one line, with `?` for whatever a terminal obeys or hides, and at most so many characters long.

    Control characters, line ends, marks that turn the writing direction, and lone surrogates are not printable.
    """
    words = str(text)
    if most is not None and len(words) > most:
        words = words[: most - 1] + CUT
    return words if words.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in words)
