"""Speaks a sentence with espeak-ng, a program of its own: no sentence ever reaches a shell or a command line."""

from __future__ import annotations

import asyncio
import os
import shutil
import struct

import numpy as np

from intercom.media.errors import SpeechError
from intercom.media.prompts.loudness import equally_loud
from intercom.media.sound.format import FULL_SCALE, RATE_HZ, Samples, to_samples

PROGRAM = "espeak-ng"
VOICES = {"en": "en-gb", "fr": "fr-fr"}
"""Voices of the languages whose voice has another name than they."""
WORDS_PER_MINUTE = 145
"""Speed of speech: a tenth slower than espeak-ng's own, for a street and for those to whom it is a foreign language."""
TIME_LIMIT_S = 10.0
"""Time limit of one sentence; the longest takes a small board a second or two."""
LONGEST_S = 30.0
"""Limit of a spoken sentence's length: signs that are read out by name can make a short text long."""
SILENT = FULL_SCALE // 300
"""Level below which a sentence's end is cut off: espeak-ng pauses after it as before the next."""
REST_S = 0.05
"""Pause kept at a sentence's end."""

_HEADER = struct.Struct("<24xI16x")
"""Header of the WAV that espeak-ng writes: mono S16 of this rate, without a length, as it is written as it is made."""


def can_speak() -> bool:
    """Return whether espeak-ng is installed."""
    return shutil.which(PROGRAM) is not None


async def spoken(text: str, language: str) -> Samples:
    """Return a sentence as sound, as loud as every other. It takes some tenths of a second, and no event loop's time.

    SpeechError when espeak-ng is not installed, or cannot speak it.
    """
    voice = VOICES.get(language, language)
    words = text.replace("[[", " ").encode("utf-8", "replace")  # the sign before phonemes, which are no sentence
    try:
        made = await _run("-v", voice, "-s", str(WORDS_PER_MINUTE), "-b", "1", "--stdin", "--stdout", said=words)
    except FileNotFoundError:
        raise SpeechError(f"there is no {PROGRAM}: sudo apt-get install {PROGRAM}") from None
    except TimeoutError:
        raise SpeechError(f"{PROGRAM} did not speak the sentence within {TIME_LIMIT_S:g} s") from None
    except OSError as error:
        raise SpeechError(f"{PROGRAM} does not start: {error.strerror}") from error
    return await asyncio.to_thread(_sound_in, made)


async def _run(*words: str, said: bytes) -> bytes:
    """Return what espeak-ng writes; cancelling this kills it. Raises OSError if it does not start, TimeoutError."""
    process: asyncio.subprocess.Process | None = None
    try:
        async with asyncio.timeout(TIME_LIMIT_S):
            process = await asyncio.create_subprocess_exec(
                *(PROGRAM, *words),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            )
            return (await process.communicate(said))[0]
    finally:
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _sound_in(wav: bytes) -> Samples:
    """Return the sentence in what espeak-ng has written, as loud as every other."""
    import soxr

    if len(wav) <= _HEADER.size:
        raise SpeechError(f"{PROGRAM} spoke nothing")
    (rate,) = _HEADER.unpack_from(wav)
    wave = np.frombuffer(wav[_HEADER.size : _HEADER.size + (len(wav) - _HEADER.size) // 2 * 2], np.int16)
    if len(wave) > LONGEST_S * rate:
        raise SpeechError(f"the sentence takes longer than {LONGEST_S:g} s to say")
    audible = np.flatnonzero(np.abs(wave) > SILENT)
    if not len(audible):
        raise SpeechError(f"{PROGRAM} spoke nothing")
    wave = wave[: audible[-1] + int(REST_S * rate)]
    return equally_loud(to_samples(soxr.resample(wave.astype(np.float32), rate, RATE_HZ)))
