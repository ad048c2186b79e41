"""Somebody without a login names a language that takes the space a second to read: nobody rings meanwhile."""

from __future__ import annotations

import pytest

from intercom.languages import preferred

MANY = 1_000_000


@pytest.mark.parametrize(
    "wish",
    [
        "de" + " " * MANY + "!",
        "de;" + " " * MANY + "!",
        " " * MANY + "!",
        "de-" + "x" * MANY + "!",
        "de;q=0." + "0" * MANY + "!",
        "de " * MANY,
        "," * MANY,
    ],
    ids=["blanks", "blanks before q", "blanks first", "a long region", "a long weight", "many words", "many wishes"],
)
def test_however_long_a_language_is_it_is_read_at_once(wish: str) -> None:
    assert preferred(wish, "fr") in {"de", "fr"}
