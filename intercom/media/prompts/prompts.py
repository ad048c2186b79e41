"""The sentences that the door has ready: the owner's files, those of the package, or made once and kept."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from intercom import atomic_file
from intercom.config.prompts import PROMPTS
from intercom.media.errors import SpeechError
from intercom.media.prompts.loudness import LOUDNESS_LUFS
from intercom.media.prompts.sentences import sentence
from intercom.media.prompts.speech import LONGEST_S, WORDS_PER_MINUTE, spoken
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.sound_file import load_sound

logger = logging.getLogger(__name__)

PACKAGED = Path(__file__).with_name("spoken")
"""Directory of the sentences that were spoken when the package was built; see `build.py`."""
PAUSE_S = 0.4
"""Pause between a prompt's languages."""


class Prompts:
    """The door's sentences. Belongs to the event loop, and takes none of its time.

    :param replaced: sounds of the owner's own, by prompt, or by prompt and language: "rings" or "rings.de".
    :param cache: directory for the sentences that are made here.
    """

    def __init__(
        self,
        languages: Iterable[str],
        *,
        cache: Path,
        replaced: Mapping[str, Samples] | None = None,
        packaged: Path = PACKAGED,
    ) -> None:
        self.languages = tuple(dict.fromkeys(languages))
        self._replaced = dict(replaced or {})
        self._cache = cache
        self._packaged = packaged
        self._sentences: dict[tuple[str, str], Samples] = {}
        "replies that are ready, by language and text"
        self._prompts: dict[str, Samples] = {}

    @property
    def speaks(self) -> bool:
        """Whether the door is to speak at all."""
        return bool(self.languages)

    def get(self, name: str) -> Samples | None:
        """Return a prompt, ready to be played; None when the door does not speak it."""
        return self._prompts.get(name)

    async def prepare(self, replies: Iterable[tuple[str, str]] = ()) -> None:
        """Get every prompt ready, and these replies (language and text); what cannot be spoken is logged, once."""
        replies = [*replies]
        wanted = [(language, sentence(language, name)) for name in PROMPTS for language in self._spoken_in(name)]
        ready: dict[tuple[str, str], Samples] = {}
        why = ""
        for language, text in dict.fromkeys([*wanted, *replies]):
            try:
                ready[language, text] = await self._ready(language, text)
            except SpeechError as error:
                why = str(error)
        if why:
            logger.warning("The door cannot speak everything, and plays its tones instead: %s", why)
        for name in PROMPTS:
            if (sound := self._joined(name, ready)) is not None:
                self._prompts[name] = sound
        self._sentences = {one: ready[one] for one in replies if one in ready}
        await asyncio.to_thread(self._forget_all_but, [*wanted, *replies])

    async def sentence(self, language: str, text: str) -> Samples:
        """Return a sentence spoken: one that is ready at once, any other by espeak-ng. Raises SpeechError."""
        ready = self._sentences.get((language, text))
        return await spoken(text, language) if ready is None else ready

    def _spoken_in(self, name: str) -> list[str]:
        """Return the languages in which a prompt has to be spoken: the owner has given no sound for them."""
        if name in self._replaced:
            return []
        return [language for language in self.languages if f"{name}.{language}" not in self._replaced]

    def _joined(self, name: str, ready: Mapping[tuple[str, str], Samples]) -> Samples | None:
        if not self.speaks or name in self._replaced:
            return self._replaced.get(name) if self.speaks else None
        parts: list[Samples] = []
        for language in self.languages:
            sound = self._replaced.get(f"{name}.{language}")
            if sound is None:
                sound = ready.get((language, sentence(language, name)))
            if sound is not None:
                parts += [np.zeros(int(PAUSE_S * RATE_HZ), np.int16)] * bool(parts) + [sound]
        return np.concatenate(parts) if parts else None

    async def _ready(self, language: str, text: str) -> Samples:
        """Return a sentence from the package or from the cache; else make it, and keep it."""
        name = file_name(language, text)
        sound = await asyncio.to_thread(self._kept, name)
        if sound is None:
            sound = await spoken(text, language)
            await asyncio.to_thread(self._keep, name, sound)
        return sound

    def _kept(self, name: str) -> Samples | None:
        for file in (self._packaged / name, self._cache / name):
            try:
                if file.exists():
                    return load_sound(file, longest_s=LONGEST_S)
            except (OSError, ValueError) as error:
                logger.warning("A spoken sentence is made anew: %s", error)
        return None

    def _keep(self, name: str, sound: Samples) -> None:
        try:
            atomic_file.replace(self._cache / name, as_flac(sound))
        except OSError as error:
            logger.info("A spoken sentence is not kept, and made again at the next start: %s", error)

    def _forget_all_but(self, wanted: Iterable[tuple[str, str]]) -> None:
        """Delete the kept sentences that no setting asks for any more."""
        needed = {file_name(language, text) for language, text in wanted}
        for file in self._cache.glob("*.flac"):
            if file.name not in needed:
                file.unlink(missing_ok=True)


def file_name(language: str, text: str) -> str:
    """Return the file name of a spoken sentence: another one for another sentence, loudness or speed."""
    made_of = f"{LOUDNESS_LUFS} {WORDS_PER_MINUTE} {text}".encode()
    return f"{language}-{hashlib.sha256(made_of).hexdigest()[:16]}.flac"


def as_flac(sound: Samples) -> bytes:
    """Return the sound as a FLAC file."""
    import soundfile

    file = io.BytesIO()
    soundfile.write(file, sound, RATE_HZ, format="FLAC")
    return file.getvalue()
