"""The microphone for all viewers: encoded once for each codec, with the gaps where the card was away."""

from __future__ import annotations

import asyncio

import pytest

from intercom.integrations.rtsp.microphone import Microphone, Sound
from intercom.media.sound.beside import BesideCall
from intercom.media.sound.format import BLOCK_SAMPLES
from tests.alsa import tone

BLOCK = tone(440, 0.01)[:BLOCK_SAMPLES]


class Ear:
    def __init__(self) -> None:
        self.heard: list[Sound] = []

    def __call__(self, sound: Sound) -> None:
        self.heard.append(sound)


@pytest.fixture
def sound() -> BesideCall:
    return BesideCall(lambda: None)


@pytest.fixture
async def microphone(sound: BesideCall) -> Microphone:
    return Microphone(sound, is_private=lambda: False)


async def spoken(microphone: Microphone, blocks: int, from_s: float = 0.0) -> None:
    for number in range(blocks):
        microphone.push(BLOCK, from_s + number / 100)
    await asyncio.sleep(0)


async def test_it_listens_only_while_somebody_does(microphone: Microphone, sound: BesideCall) -> None:
    ear = Ear()
    assert sound.listeners == ()
    microphone.listen("opus", ear)
    assert sound.listeners == (microphone,)
    microphone.leave("opus", ear)
    assert sound.listeners == ()


async def test_two_viewers_get_the_same_packets(microphone: Microphone) -> None:
    one, two = Ear(), Ear()
    microphone.listen("opus", one)
    microphone.listen("opus", two)
    await spoken(microphone, 6)
    assert len(one.heard) == 3
    assert [id(each) for each in one.heard] == [id(each) for each in two.heard]


async def test_each_codec_counts_by_its_own_clock(microphone: Microphone) -> None:
    opus, pcma = Ear(), Ear()
    microphone.listen("opus", opus)
    microphone.listen("pcma", pcma)
    await spoken(microphone, 4)
    assert [each.timestamp for each in opus.heard] == [0, 960]
    assert [each.timestamp for each in pcma.heard] == [0, 160]
    assert [len(each.payload) for each in pcma.heard] == [160, 160]


async def test_sound_goes_on_later_after_the_card_was_away(microphone: Microphone) -> None:
    ear = Ear()
    microphone.listen("pcma", ear)
    await spoken(microphone, 2)
    await spoken(microphone, 2, from_s=2.01)
    assert [each.begins for each in ear.heard] == [True, True]
    assert ear.heard[1].timestamp >= 8000 * 2


async def test_while_it_is_private_there_is_silence(sound: BesideCall) -> None:
    ear = Ear()
    microphone = Microphone(sound, is_private=lambda: True)
    microphone.listen("pcma", ear)
    await spoken(microphone, 2)
    assert set(ear.heard[0].payload) <= {0xD5, 0x55}
