"""Cleans a member's display name: one line of printable text, in one form and of a bounded length."""

from __future__ import annotations

import unicodedata
from typing import Final

LIMIT_CHARS: Final = 64


def shown_name(text: str, otherwise: str) -> str:
    """Return `text` without line ends, control and direction marks; `otherwise` when nothing is left.

    Such a name reads the same in a log, in a table and on a page, and cannot pretend to be two lines of them.
    """
    composed = unicodedata.normalize("NFC", text[: 4 * LIMIT_CHARS])
    printable = "".join(
        " " if unicodedata.category(character)[0] == "Z" or character in "\t\r\n\v\f" else character
        for character in composed
        if unicodedata.category(character)[0] != "C" or character in "\t\r\n\v\f"
    )
    return " ".join(printable.split())[:LIMIT_CHARS].strip() or otherwise
