"""What people read in their language: a catalogue for each, which page, worker and notifications take it from.

A catalogue is a JSON file of keys and sentences; a sentence with {names} is filled in by whoever says it. English is
the source: each other one has the same keys and the same names. The page reads them at /station/languages/.

Begin with `en.json`.
"""

import functools
import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import Final

DIRECTORY: Final = Path(__file__).parent
"""Directory of the catalogues."""
LANGUAGES: Final = ("en", "de", "fr", "es", "it", "nl")
"""The languages (ISO 639-1), English first."""
WISHES_LIMIT_CHARS: Final = 400
"""Limit of what is read of the languages that a browser names; people have a handful, of eleven characters each."""
_WISH: Final = re.compile(r"([A-Za-z]{2,8})(?:-[\w-]{1,32})?(?:\s*;\s*q=(0(?:\.[0-9]{1,3})?|1(?:\.0{1,3})?))?")
"""A language that a browser names, and how much it is wanted (RFC 9110, section 12.5.4)."""


class Catalogue:
    """The sentences of one language."""

    def __init__(self, language: str) -> None:
        """`language` is one of LANGUAGES."""
        text = (DIRECTORY / f"{language}.json").read_text(encoding="utf-8")
        self.sentences = MappingProxyType[str, str](json.loads(text))
        "every sentence by its key"

    def say(self, key: str, **names: str) -> str:
        """Return the sentence of this key with its names filled in."""
        return self.sentences[key].format_map(names)


@functools.cache
def catalogue(language: str) -> Catalogue:
    """Return the catalogue of a language, read once."""
    return Catalogue(language)


def preferred(accept: str, otherwise: str) -> str:
    """Return the language of ours that a browser's Accept-Language wants most; `otherwise` where it wants none."""
    wishes = [_WISH.fullmatch(wish.strip()) for wish in accept[:WISHES_LIMIT_CHARS].split(",")]
    wanted = {wish[1].lower(): float(wish[2] or 1) for wish in reversed(wishes) if wish is not None}
    ours = [language for language in reversed(wanted) if language in LANGUAGES and wanted[language] > 0]
    return max(ours, key=lambda language: wanted[language], default=otherwise)
