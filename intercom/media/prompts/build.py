"""Speaks every sentence of every language into a directory, so that a door needs no espeak-ng: for `make deb`."""

from __future__ import annotations

import asyncio
from pathlib import Path

from intercom.media.prompts.prompts import as_flac, file_name
from intercom.media.prompts.sentences import all_sentences
from intercom.media.prompts.speech import spoken


def speak_all(into: Path) -> None:
    """Write all sentences into this directory; SpeechError when there is no espeak-ng."""
    into.mkdir(parents=True)
    for language, text in all_sentences():
        (into / file_name(language, text)).write_bytes(as_flac(asyncio.run(spoken(text, language))))
