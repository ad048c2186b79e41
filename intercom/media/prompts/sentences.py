"""The names of what the door says; what it says under them stands in the catalogues of the languages."""

from __future__ import annotations

from intercom.config.prompts import PROMPTS
from intercom.languages import LANGUAGES, catalogue

REPLIES = ("coming", "parcel", "wait", "away")
"""Quick replies of a house that has none of its own, by name."""
SENTENCES = (*PROMPTS, *(f"reply.{name}" for name in REPLIES))
"""Everything that a door has to say in each of its languages, by name."""


def sentence(language: str, name: str) -> str:
    """Return one of SENTENCES in a language."""
    return catalogue(language).say(f"prompt.{name}")


def all_sentences() -> list[tuple[str, str]]:
    """Return every sentence with its language, each once."""
    return list(dict.fromkeys((language, sentence(language, name)) for language in LANGUAGES for name in SENTENCES))
