"""The card's own controls do what they can; a made-up card stands for the USB one that this machine has not."""

from __future__ import annotations

import logging
from typing import Any

import alsaaudio
import pytest

from intercom.config import AudioConfig
from intercom.media.card import AlsaCards
from intercom.media.hardware_mixer import HardwareMixer, open_mixer
from intercom.media.simulated import SimulatedCards


class UsbCard:
    """A speaker of -37 to 0 dB and a microphone of 0 to 23 dB in steps of 1 dB, and automatic gain."""

    def __init__(self) -> None:
        self.volumes = {"Speaker": -1000, "Mic": 1200}
        self.ranges = {"Speaker": [-3700, 0], "Mic": [0, 2300], "Master": [0, 0]}
        self.automatic = True
        self.muted = {"Speaker": True, "Mic": True}

    def mixers(self, *, device: str) -> list[str]:
        if device != "hw:Device":
            raise alsaaudio.ALSAAudioError(f"No such device [{device}]")
        return ["Master", "Speaker", "Mic", "Auto Gain Control"]

    def mixer(self, name: str, *, device: str) -> Any:
        card = self

        class Control:
            def volumecap(self) -> list[str]:
                return ["Capture Volume"] if name == "Mic" else ["Playback Volume"]

            def switchcap(self) -> list[str]:
                if name == "Master":
                    return []
                return ["Capture Mute"] if name == "Mic" else ["Playback Mute"]

            def getrange(self, kind: int, units: int) -> list[int]:
                return card.ranges[name]

            def setvolume(self, volume: int, *, pcmtype: int, units: int) -> None:
                card.volumes[name] = round(volume / 100) * 100

            def getvolume(self, kind: int, units: int) -> list[int]:
                return [card.volumes[name]]

            def setmute(self, mute: int) -> None:
                if name == "Auto Gain Control":
                    card.automatic = not mute
                else:
                    card.muted[name] = bool(mute)

            def setrec(self, capture: int) -> None:
                card.muted[name] = not capture

            def close(self) -> None:
                pass

        return Control()


@pytest.fixture
def usb_card(monkeypatch: pytest.MonkeyPatch) -> UsbCard:
    card = UsbCard()
    monkeypatch.setattr(alsaaudio, "mixers", card.mixers)
    monkeypatch.setattr(alsaaudio, "Mixer", card.mixer)
    return card


def mixer_of(name: str) -> HardwareMixer:
    return open_mixer(AlsaCards(name, name, "as configured"))


def test_the_control_does_it_and_software_the_fraction(usb_card: UsbCard) -> None:
    assert mixer_of("plughw:CARD=Device,DEV=0").set_db("playback", -6.4) == pytest.approx(-0.4)
    assert usb_card.volumes["Speaker"] == -600


def test_what_is_beyond_the_control_is_software_s(usb_card: UsbCard) -> None:
    mixer = mixer_of("plughw:CARD=Device,DEV=0")
    assert mixer.set_db("playback", 5) == 5
    assert mixer.set_db("capture", -8) == -8
    assert usb_card.volumes == {"Speaker": 0, "Mic": 0}


def test_a_card_that_comes_muted_is_heard(usb_card: UsbCard) -> None:
    mixer = mixer_of("hw:Device")
    mixer.set_muted("playback", False)
    mixer.set_muted("capture", False)
    assert usb_card.muted == {"Speaker": False, "Mic": False}
    mixer.set_muted("capture", True)
    assert usb_card.muted == {"Speaker": False, "Mic": True}


def test_automatic_gain_is_switched_off(usb_card: UsbCard) -> None:
    mixer_of("hw:Device").freeze()
    assert not usb_card.automatic


def test_a_card_that_went_leaves_it_to_software_and_is_told_once(
    usb_card: UsbCard, caplog: pytest.LogCaptureFixture
) -> None:
    gone = mixer_of("plughw:CARD=Gone,DEV=0")
    caplog.set_level(logging.DEBUG)
    gone.freeze()
    assert gone.set_db("playback", -6) == -6
    gone.set_muted("playback", True)
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.DEBUG, logging.DEBUG]
    assert "hw:Gone" in caplog.records[0].message
    assert "software sets the levels" in caplog.records[0].message


def test_a_card_that_came_back_is_told_when_it_goes_the_next_time(
    usb_card: UsbCard, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    mixer = mixer_of("hw:Device")
    for there in (False, True, False):
        with monkeypatch.context() as cable:
            if not there:
                cable.setattr(alsaaudio, "mixers", lambda device: usb_card.mixers(device="hw:Gone"))
            mixer.set_db("playback", -6)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_name_that_tells_no_card_and_the_simulated_one_have_no_controls() -> None:
    assert mixer_of("default").devices == {}
    assert open_mixer(SimulatedCards(AudioConfig())).devices == {}
