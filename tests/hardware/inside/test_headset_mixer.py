"""A USB headset's own volume, mute and automatic gain on a real kernel's mixer; and what the audio test says of it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alsaaudio
import pytest

from intercom.config import AudioConfig
from intercom.door.volume import Volume
from intercom.media.cards.hardware_mixer import HardwareMixer, open_mixer
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.levels import Levels
from tests.alsa import cards_named
from tests.hardware.headset import Headset
from tests.hardware.uac1 import UsbHeadset
from tests.hardware.wait import until

PCM = "plughw:CARD=Headset,DEV=0"
CARDS = cards_named(PCM, PCM)
AUDIO = AudioConfig(card=PCM)
LIMIT_S = 60.0
"""The command imports numpy and soxr, which takes seconds in here."""


@pytest.fixture
def headset() -> Iterator[Headset]:
    """One with automatic gain, plugged in."""
    with Headset(UsbHeadset(automatic_gain=True)) as headset:
        headset.plug()
        yield headset


@pytest.fixture
def mixer(headset: Headset) -> HardwareMixer:
    return open_mixer(CARDS)


def test_the_card_shows_the_controls_that_it_has(headset: Headset) -> None:
    assert set(alsaaudio.mixers(device="hw:Headset")) == {"PCM", "Mic", "Auto Gain Control"}


def test_the_card_takes_what_it_can_of_a_volume_and_leaves_the_rest(headset: Headset, mixer: HardwareMixer) -> None:
    left = {
        ("playback", -6.4): mixer.set_db("playback", -6.4),
        ("capture", 5.0): mixer.set_db("capture", 5.0),
    }
    assert left == {("playback", -6.4): pytest.approx(-0.4), ("capture", 5.0): 0}
    assert (headset.report().speaker.volume_db, headset.report().microphone.volume_db) == (-6, 5)
    assert mixer.set_db("playback", 3.0) == 3
    assert mixer.set_db("capture", -20.0) == -8
    assert (headset.report().speaker.volume_db, headset.report().microphone.volume_db) == (0, -12)


def test_each_direction_is_muted_by_its_own_switch(headset: Headset, mixer: HardwareMixer) -> None:
    mixer.set_muted("capture", True)
    assert (headset.report().speaker.muted, headset.report().microphone.muted) == (False, True)
    mixer.set_muted("playback", True)
    mixer.set_muted("capture", False)
    assert (headset.report().speaker.muted, headset.report().microphone.muted) == (True, False)
    mixer.set_muted("playback", False)
    assert not headset.report().speaker.muted


def test_the_automatic_gain_is_frozen(headset: Headset, mixer: HardwareMixer) -> None:
    assert headset.report().microphone.automatic_gain
    mixer.freeze()
    assert not headset.report().microphone.automatic_gain


async def test_a_card_that_comes_back_as_new_is_set_as_it_was(headset: Headset, tmp_path: Path) -> None:
    volume = Volume(AudioEngine(CARDS, on_event=lambda event: None), CARDS, AUDIO, tmp_path)
    await volume.start()
    await volume.set(Levels(speaker_db=-9, microphone_db=4, speaker_muted=True))
    headset.unplug()
    until(lambda: not Path("/proc/asound/Headset").is_symlink(), LIMIT_S, "the kernel has let the card's name go")
    headset.plug()
    assert headset.report().speaker.volume_db == 0
    await volume.card_came()
    report = headset.report()
    assert (report.speaker.volume_db, report.microphone.volume_db, report.speaker.muted) == (-9, 4, True)
    assert not report.microphone.automatic_gain
    again = Volume(AudioEngine(CARDS, on_event=lambda event: None), CARDS, AUDIO, tmp_path)
    await again.start()
    assert again.levels == Levels(speaker_db=-9, microphone_db=4, speaker_muted=True)


def audio_test(folder: Path, *words: str) -> tuple[int, Any]:
    config = folder / "intercom.toml"
    config.write_text(f'state_dir = "{folder}"\n[audio]\ncard = "{PCM}"\n')
    command = [Path(sys.executable).parent / "intercom", "audio", "test", "--config", config, "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, env=os.environ, check=False)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_the_audio_test_measures_the_box_and_what_it_advises_mends_it(headset: Headset, tmp_path: Path) -> None:
    headset.air(6, 30)
    code, found = audio_test(tmp_path, "--store")
    assert code == 1
    assert found["echo_level_db"] == pytest.approx(6, abs=1)
    assert found["delay_ms"] > 30
    assert found["clipped_percent"] == 0
    assert found["noise_floor_db"] < -60
    assert ["turn the speaker down 9 dB" in sentence for sentence in found["advice"]] == [True]

    code, found = audio_test(tmp_path)
    assert (code, found["advice"]) == (0, [])
    assert headset.report().speaker.volume_db == -9
    assert found["echo_level_db"] == pytest.approx(-3, abs=1)
