"""The sentences that the door has ready: from the package, from its cache, or the owner's own."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
import soundfile

from intercom.config.prompts import PROMPTS
from intercom.media.errors import SpeechError
from intercom.media.prompts import prompts as module
from intercom.media.prompts.prompts import PAUSE_S, Prompts, file_name
from intercom.media.prompts.sentences import sentence
from intercom.media.sound.format import RATE_HZ, Samples
from intercom.media.sound.tones import tones_of

NOWHERE = Path("/nowhere")
OWN = np.full(4800, 5000, np.int16)


async def no_speech(text: str, language: str) -> Samples:
    raise SpeechError(f"there is nobody to say {text!r} in {language}")


def names(prompts: Prompts) -> set[str]:
    return {name for name in PROMPTS if prompts.get(name) is not None}


async def test_a_door_without_a_language_says_nothing_and_makes_nothing(tmp_path: Path) -> None:
    prompts = Prompts((), cache=tmp_path / "cache", replaced={"rings": OWN})
    await prompts.prepare()
    assert (prompts.speaks, names(prompts), (tmp_path / "cache").exists()) == (False, set(), False)


async def test_a_door_from_the_package_needs_no_espeak(
    packaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "spoken", no_speech)
    prompts = Prompts(["de"], cache=tmp_path, packaged=packaged)
    await prompts.prepare()
    assert names(prompts) == set(PROMPTS)
    assert list(tmp_path.iterdir()) == []


async def test_what_a_door_made_itself_it_keeps_for_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Prompts(["nl"], cache=tmp_path, packaged=NOWHERE)
    await first.prepare([("nl", "Dank u wel.")])
    monkeypatch.setattr(module, "spoken", no_speech)
    second = Prompts(["nl"], cache=tmp_path, packaged=NOWHERE)
    await second.prepare([("nl", "Dank u wel.")])
    assert names(second) == set(PROMPTS)
    assert np.allclose(await first.sentence("nl", "Dank u wel."), await second.sentence("nl", "Dank u wel."), atol=1)


async def test_a_kept_sentence_that_no_setting_asks_for_any_more_is_deleted(tmp_path: Path) -> None:
    old = tmp_path / file_name("en", "We have moved.")
    old.write_bytes(b"")
    prompts = Prompts(["en"], cache=tmp_path, packaged=NOWHERE)
    await prompts.prepare()
    assert not old.exists()
    assert len(list(tmp_path.glob("*.flac"))) == len(PROMPTS)


async def test_a_kept_sentence_that_is_damaged_is_made_anew(tmp_path: Path) -> None:
    damaged = tmp_path / file_name("en", sentence("en", "rings"))
    damaged.write_bytes(b"fLaC and no more")
    prompts = Prompts(["en"], cache=tmp_path, packaged=NOWHERE)
    await prompts.prepare()
    assert prompts.get("rings") is not None
    assert soundfile.info(damaged).samplerate == RATE_HZ


async def test_a_door_that_can_keep_nothing_speaks_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    prompts = Prompts(["en"], cache=tmp_path / "file", packaged=NOWHERE)
    await prompts.prepare()
    assert names(prompts) == set(PROMPTS)


async def test_several_languages_follow_one_another(packaged: Path, tmp_path: Path) -> None:
    async def length(*languages: str) -> int:
        prompts = Prompts(languages, cache=tmp_path, packaged=packaged)
        await prompts.prepare()
        sound = prompts.get("door_is_open")
        assert sound is not None
        return len(sound)

    assert await length("de", "fr") == await length("de") + int(PAUSE_S * RATE_HZ) + await length("fr")


async def test_the_owner_s_file_replaces_a_prompt_in_all_languages_or_in_one(packaged: Path, tmp_path: Path) -> None:
    for name in ("rings", "please_wait.fr"):
        soundfile.write(tmp_path / f"{name}.wav", OWN, RATE_HZ)
    replaced = tones_of(str(tmp_path)).prompts
    assert set(replaced) == {"rings", "please_wait.fr"}
    prompts = Prompts(["en", "fr"], cache=tmp_path / "cache", replaced=replaced, packaged=packaged)
    await prompts.prepare()
    rings, wait = prompts.get("rings"), prompts.get("please_wait")
    assert rings is not None
    assert wait is not None
    assert np.allclose(rings, OWN, atol=1)
    assert np.allclose(wait[-len(OWN) :], OWN, atol=1)
    assert len(wait) > len(OWN) + PAUSE_S * RATE_HZ


async def test_where_nobody_can_speak_the_log_says_once_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    prompts = Prompts(["en", "de"], cache=tmp_path / "cache", packaged=NOWHERE)
    with caplog.at_level(logging.WARNING):
        await prompts.prepare()
    assert names(prompts) == set()
    (told,) = (record.getMessage() for record in caplog.records)
    assert "apt-get install espeak-ng" in told
