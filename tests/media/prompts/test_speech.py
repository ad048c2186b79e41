"""Speaking a sentence: by the real espeak-ng, bounded in time and length."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from intercom.media.errors import SpeechError
from intercom.media.prompts import speech
from intercom.media.prompts.loudness import equally_loud, loudness_lufs
from intercom.media.prompts.speech import REST_S, can_speak, spoken
from intercom.media.sound.format import FULL_SCALE, RATE_HZ
from tests.alsa import tone
from tests.media.loudness import lufs


async def test_a_sentence_ends_soon_after_its_last_word() -> None:
    sound = await spoken("Please wait.", "en")
    loud = np.flatnonzero(np.abs(sound.astype(int)) > FULL_SCALE // 50)
    assert 0.4 < len(sound) / RATE_HZ < 3
    assert len(sound) - loud[-1] < (REST_S + 0.3) * RATE_HZ


async def test_letters_of_other_languages_are_spoken_and_not_spelled_as_bytes() -> None:
    assert len(await spoken("Ça sonne, où êtes-vous?", "fr")) < 3 * RATE_HZ


@pytest.mark.parametrize("text", [" ", "\n", ". . ."])
async def test_what_has_no_words_is_refused(text: str) -> None:
    with pytest.raises(SpeechError, match="spoke nothing"):
        await spoken(text, "en")


async def test_a_text_that_is_short_to_write_and_long_to_say_is_refused() -> None:
    with pytest.raises(SpeechError, match="longer than"):
        await spoken("® " * 100, "en")


def espeak(directory: Path, script: str) -> None:
    program = directory / "espeak-ng"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


async def test_a_program_that_hangs_is_ended_and_nobody_waits_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    espeak(tmp_path, f"echo $$ > {tmp_path}/new; /bin/mv {tmp_path}/new {tmp_path}/pid; exec /bin/sleep 3600")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(speech, "TIME_LIMIT_S", 3.0)
    with pytest.raises(SpeechError, match="within 3 s"):
        await spoken("Hello", "en")
    if (tmp_path / "pid").exists():  # a busy machine may not have come so far
        assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


async def test_a_sentence_that_is_given_up_leaves_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    espeak(tmp_path, f"echo $$ > {tmp_path}/new; /bin/mv {tmp_path}/new {tmp_path}/pid; exec /bin/sleep 3600")
    monkeypatch.setenv("PATH", str(tmp_path))
    speaking = asyncio.ensure_future(spoken("Hello", "en"))
    async with asyncio.timeout(30):
        while not (tmp_path / "pid").exists():
            await asyncio.sleep(0.01)
    speaking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await speaking
    assert not Path(f"/proc/{(tmp_path / 'pid').read_text().strip()}").exists()


async def test_without_the_program_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not can_speak()
    with pytest.raises(SpeechError, match="apt-get install espeak-ng"):
        await spoken("Hello", "en")


@pytest.mark.parametrize("level_db", [-40.0, -20.0, -1.0])
def test_the_meter_says_what_the_recommendation_says(level_db: float) -> None:
    sound = tone(997, 2.0, level_db)
    assert loudness_lufs(sound) == pytest.approx(lufs(sound), abs=0.1)


def test_a_sound_that_cannot_be_made_loud_enough_without_clipping_stays_softer() -> None:
    click = np.zeros(RATE_HZ, np.int16)
    click[::4800] = 1000
    assert np.abs(equally_loud(click)).max() < FULL_SCALE


def test_silence_and_what_is_too_short_stay_as_they_are() -> None:
    assert not equally_loud(np.zeros(RATE_HZ, np.int16)).any()
    assert len(equally_loud(tone(500, 0.05))) == int(0.05 * RATE_HZ)
