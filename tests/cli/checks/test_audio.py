"""`intercom audio test`, as an installer uses it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import alsaaudio
import pytest

from intercom.cli import main
from intercom.cli.checks import audio
from intercom.cli.running_door.remote import OK, TROUBLE
from intercom.devices import Device, Finder
from intercom.media.cards import card
from intercom.media.sound import rehearsal
from intercom.media.sound.levels import Levels
from intercom.media.sound.room_check import examine, probe
from tests.alsa import AlsaCards, alsa_cards, alsa_session

__all__ = ["alsa_cards", "alsa_session"]


def config_file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "intercom.toml"
    file.write_text(f'state_dir = "state"\n[audio]\n{text}\n')
    return str(file)


def test_the_simulated_card_is_tried_and_called_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = config_file(tmp_path, 'card = "simulated"')
    assert main.main(["audio", "test", "--store", "--config", file]) == OK
    out = capsys.readouterr().out
    assert "simulated card has no air" in out
    assert "echo" not in out
    assert not (tmp_path / "state").exists()


def test_what_was_found_is_said_for_people() -> None:
    played = probe(4)
    found = examine(played, played, Levels(speaker_db=4))
    page = audio._report("USB Phone", found, simulated=False, stored=False)
    assert "a voice comes back 4 dB louder, 0 ms later; softer is good" in page
    assert "-96 dB full scale before that; -45 or less is good" in page
    assert "recommended: speaker -3 dB, microphone 0 dB; `--store` keeps them" in page


@pytest.fixture
def words(tmp_path: Path, alsa_cards: AlsaCards) -> list[str]:
    """The command at real PCMs whose speaker is loud."""
    names = f'capture = "{alsa_cards.microphone}"\nplayback = "{alsa_cards.speaker}"\nspeaker_gain_db = 4'
    return ["audio", "test", "--store", "--json", "--config", config_file(tmp_path, names)]


def kept(tmp_path: Path) -> dict[str, float]:
    """The levels that the command kept."""
    (levels,) = json.loads((tmp_path / "state/levels.json").read_text()).values()
    return dict(levels)


def test_a_card_is_played_and_heard_and_what_is_recommended_is_kept_for_it(
    tmp_path: Path, alsa_cards: AlsaCards, words: list[str]
) -> None:
    with alsa_cards.air():
        intercom = Path(sys.executable).parent / "intercom"
        done = subprocess.run([intercom, *words], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    # How loud it came back is the rehearsal's test: a machine that stands still tears holes into what is heard.
    assert found["heard_db"] > found["noise_floor_db"]
    assert kept(tmp_path) == found["levels"]


def test_a_speaker_that_comes_back_louder_is_kept_turned_down(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(rehearsal, "rehearse", lambda cards, played: rehearsal.Rehearsed(played, 0))
    assert main.main(words) == TROUBLE
    found = json.loads(capsys.readouterr().out)
    assert found["delay_ms"] == 0
    assert found["echo_level_db"] > 2
    assert "turn the speaker down" in found["advice"][0]
    assert kept(tmp_path) == found["levels"]
    assert found["levels"]["speaker_db"] < 0


@pytest.mark.parametrize("chosen", ["auto", "plughw:CARD=Device"])
def test_a_busy_card_is_told_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, chosen: str
) -> None:
    def busy(*_: object, **__: object) -> None:
        raise alsaaudio.ALSAAudioError("Device or resource busy [plughw:CARD=Device]")

    monkeypatch.setattr(card, "AlsaPcm", busy)
    plugged = Device("Device", "USB Phone", "usb", "usb-1.2", captures=0, plays=0)
    monkeypatch.setattr(Finder, "sound_cards", lambda finder: [plugged])
    assert main.main(["audio", "test", "--config", config_file(tmp_path, f'card = "{chosen}"')]) == audio.BUSY
    assert capsys.readouterr().err == (
        "intercom: the sound card is busy: stop the door station (`sudo systemctl stop intercom`), then test again\n"
    )
