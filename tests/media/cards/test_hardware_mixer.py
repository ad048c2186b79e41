"""The card's own controls do what they can; a made-up card stands for the USB one that this machine has not."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import alsaaudio
import pytest

from intercom.config import AudioConfig
from intercom.door.volume import Volume
from intercom.media.cards import alsa_mixer
from intercom.media.cards.chosen_cards import Chosen, ChosenCards
from intercom.media.cards.hardware_mixer import HardwareMixer, open_mixer
from intercom.media.cards.simulated import SimulatedCards
from intercom.media.events import Direction
from intercom.media.sound.engine import AudioEngine
from intercom.media.sound.levels import Levels
from tests.alsa import cards_named

WAITS_S = 0.1
"""Time in which a thread that does not wait is through."""


class UsbControl:
    """One control of the card below."""

    def __init__(self, card: UsbCard, name: str, direction: Direction | None) -> None:
        self.name = name
        self._card = card
        self._direction = direction

    def has_volume(self, direction: Direction) -> bool:
        return direction == self._direction and self.name in self._card.ranges

    def has_switch(self, direction: Direction) -> bool:
        return direction == self._direction and self.name != "Master"

    def range_db(self, direction: Direction) -> tuple[float, float]:
        return self._card.ranges[self.name]

    def set_db(self, direction: Direction, gain_db: float) -> float:
        self._card.volumes[self.name] = round(gain_db)
        return self._card.volumes[self.name]

    def is_at_nothing(self, direction: Direction) -> bool:
        return False

    def switch(self, direction: Direction, on: bool) -> None:
        self._card.on[self.name] = on


class UsbCard:
    """A speaker of -37 to 0 dB and a microphone of 0 to 23 dB in steps of 1 dB, and automatic gain."""

    def __init__(self) -> None:
        self.volumes = {"Speaker": -10, "Mic": 12}
        self.ranges = {"Speaker": (-37.0, 0.0), "Mic": (0.0, 23.0), "Master": (0.0, 0.0)}
        self.on = {"Speaker": False, "Mic": False, "Auto Gain Control": True}
        self.is_there = True
        self.openings = 0

    @contextmanager
    def opened(self, device: str) -> Iterator[list[UsbControl]]:
        self.openings += 1
        if device != "hw:Device" or not self.is_there:
            raise alsaaudio.ALSAAudioError(f"No such device [{device}]")
        directions: dict[str, Direction] = {
            "Master": "playback",
            "Speaker": "playback",
            "Mic": "capture",
            "Auto Gain Control": "playback",
        }
        yield [UsbControl(self, name, direction) for name, direction in directions.items()]


@pytest.fixture
def usb_card(monkeypatch: pytest.MonkeyPatch) -> UsbCard:
    card = UsbCard()
    monkeypatch.setattr(alsa_mixer, "opened", card.opened)
    return card


def mixer_of(name: str) -> HardwareMixer:
    return open_mixer(cards_named(name, name))


def test_the_control_does_it_and_software_the_fraction(usb_card: UsbCard) -> None:
    assert mixer_of("plughw:CARD=Device,DEV=0").set_db("playback", -6.4) == pytest.approx(-0.4)
    assert usb_card.volumes["Speaker"] == -6


def test_what_is_beyond_the_control_is_software_s(usb_card: UsbCard) -> None:
    mixer = mixer_of("plughw:CARD=Device,DEV=0")
    assert mixer.set_db("playback", 5) == 5
    assert mixer.set_db("capture", -8) == -8
    assert usb_card.volumes == {"Speaker": 0, "Mic": 0}


def test_a_card_that_comes_muted_is_heard(usb_card: UsbCard) -> None:
    mixer = mixer_of("hw:Device")
    mixer.set_muted("playback", False)
    mixer.set_muted("capture", False)
    assert (usb_card.on["Speaker"], usb_card.on["Mic"]) == (True, True)
    mixer.set_muted("capture", True)
    assert (usb_card.on["Speaker"], usb_card.on["Mic"]) == (True, False)


def test_automatic_gain_is_switched_off(usb_card: UsbCard) -> None:
    mixer_of("hw:Device").freeze()
    assert not usb_card.on["Auto Gain Control"]


async def test_levels_are_set_on_a_card_that_udev_has_renamed_while_it_was_open(
    usb_card: UsbCard, tmp_path: Path
) -> None:
    names = ["plughw:CARD=Kernels,DEV=0"]
    cards = ChosenCards(lambda direction: Chosen(names[-1], "a headset", "the best"))
    volume = Volume(AudioEngine(cards, on_event=lambda event: None), cards, AudioConfig(), tmp_path)
    await volume.card_came()
    names.append("plughw:CARD=Device,DEV=0")
    await volume.set(Levels(speaker_db=-6))
    assert usb_card.volumes["Speaker"] == -6


def test_controls_that_one_thread_holds_are_not_shared_with_the_next(usb_card: UsbCard) -> None:
    mixer = mixer_of("hw:Device")

    def set_too() -> None:
        with mixer.held():
            mixer.set_db("playback", -6)

    next_one = threading.Thread(target=set_too)
    with mixer.held():
        next_one.start()
        next_one.join(WAITS_S)
        assert usb_card.openings == 1
    next_one.join()
    assert usb_card.openings == 2


async def test_a_card_s_levels_are_set_with_its_controls_opened_once(usb_card: UsbCard, tmp_path: Path) -> None:
    cards = cards_named("hw:Device", "hw:Device")
    volume = Volume(AudioEngine(cards, on_event=lambda event: None), cards, AudioConfig(), tmp_path)
    await volume.set(Levels(speaker_db=-6, microphone_db=3, microphone_muted=True))
    usb_card.volumes, usb_card.on, usb_card.openings = {}, {}, 0
    await volume.card_came()
    assert usb_card.volumes == {"Speaker": -6, "Mic": 3}
    assert usb_card.on == {"Speaker": True, "Mic": False, "Auto Gain Control": False}
    assert usb_card.openings == 1


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
    usb_card: UsbCard, caplog: pytest.LogCaptureFixture
) -> None:
    mixer = mixer_of("hw:Device")
    for there in (False, True, False):
        usb_card.is_there = there
        mixer.set_db("playback", -6)
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_name_that_tells_no_card_and_the_simulated_one_have_no_controls() -> None:
    assert mixer_of("default").devices == {}
    assert open_mixer(SimulatedCards(AudioConfig())).devices == {}


def test_a_card_that_is_not_there_is_what_alsa_says() -> None:
    with pytest.raises(alsaaudio.ALSAAudioError, match="No such"), alsa_mixer.opened("hw:CARD=nowhere"):
        pytest.fail("it opened")
