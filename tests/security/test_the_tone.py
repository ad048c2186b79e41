"""The attack: a visitor plays a telephone key at the microphone, and the far end's line or room sends it back."""

from __future__ import annotations

import asyncio
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from aiortc.rtp import RtpPacket
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest import LogCaptureFixture

from intercom.media.codec.g711 import G711Encoder
from intercom.media.dtmf.heard_keys import HeardKeys
from intercom.media.echo.webrtc import CANCELLER_HZ
from intercom.media.rtp.audio_track import MicrophoneTrack
from intercom.media.rtp.payload_types import encoder_for
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, Samples, ratio, to_samples
from intercom.media.sound.resample import lowered_to
from intercom.media.sound.sound_file import load_sound
from tests.media.dtmf.test_in_band import key_tone

from ..alsa import tone
from ..keypad import Keypad

BLOCK_S = 0.01
FRAME_BLOCKS = 2
QUIET = np.zeros(RATE_HZ // 2, np.int16)
VISITOR = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))


class Line(HeardKeys):
    """A call over a telephone line that sends no events: its echo comes back, and its resident has keys."""

    def __init__(self, *, echo_db: float, delay_s: float, sent_hz: int = RATE_HZ) -> None:
        self.now = 100.0
        super().__init__(lambda: self.now)
        self._far_end.listen_for_keys(True)
        self._track = MicrophoneTrack(encoder_for("pcmu"))
        self._track.memory = self._memory
        self._lowered = lowered_to(sent_hz)
        self._way = [np.zeros(BLOCK_SAMPLES, np.float32)] * round(delay_s / BLOCK_S)
        self._gain = np.float32(ratio(echo_db))
        self._encoder = G711Encoder("pcmu")
        self._number = 0

    async def carries(self, visitor: Samples, resident: Samples | None = None) -> None:
        """Let both be heard at the same time, for as long as the longer one lasts and an echo takes."""
        blocks = max(len(visitor), 0 if resident is None else len(resident)) // BLOCK_SAMPLES + len(self._way) + 10
        back: list[Samples] = []
        for number in range(blocks):
            said = _block(visitor, number)
            self._track.push(self._lowered(said), self.now)
            self._way.append(said.astype(np.float32))
            sent = self._way.pop(0) * self._gain
            if resident is not None:
                sent = sent + _block(resident, number)
            back.append(to_samples(sent))
            if len(back) == FRAME_BLOCKS:
                self._receive(np.concatenate(back))
                back.clear()
            self._far_end.pull(self.now)
            await asyncio.sleep(0)
            self.now += BLOCK_S

    def _receive(self, frame: Samples) -> None:
        packet = RtpPacket(payload_type=0, sequence_number=self._number, ssrc=1)
        packet.timestamp = self._number * 160
        packet.payload = self._encoder.encode(frame)
        self._number += 1
        self._far_end.receive(packet, "pcmu")


def _block(sound: Samples, number: int) -> Samples:
    block = sound[number * BLOCK_SAMPLES : (number + 1) * BLOCK_SAMPLES]
    return block if len(block) == BLOCK_SAMPLES else np.zeros(BLOCK_SAMPLES, np.int16)


async def opened(line: Line, door: Keypad, visitor: Samples, resident: Samples | None = None) -> bool:
    """Whether what is said in this call opens the door."""
    heard: list[tuple[str, float | None]] = []
    line.tones_stream.subscribe(heard.append)
    await line.carries(visitor, resident)
    for key, echo_s in heard:
        door.types(key, "tones", echo_s=echo_s)
    return door.lock.opened > 0


def listening(**door: object) -> Keypad:
    return Keypad(keys_in_sound=True, **door)


def said(*sounds: Samples) -> Samples:
    return np.concatenate([QUIET, *sounds, QUIET])


@pytest.mark.parametrize("echo_db", [-20.0, -12.0, -6.0, 0.0, 5.0])
@pytest.mark.parametrize("delay_s", [0.02, 0.15, 0.5, 0.7])
async def test_what_a_line_sends_back_of_the_visitor_s_tone_opens_nothing(echo_db: float, delay_s: float) -> None:
    line, door = Line(echo_db=echo_db, delay_s=delay_s), listening()
    assert not await opened(line, door, said(key_tone("9", 0.4)))


@pytest.mark.parametrize("echo_db", [-20.0, 0.0])
async def test_nor_does_it_where_a_canceller_gave_the_visitor_s_sound(echo_db: float) -> None:
    line, door = Line(echo_db=echo_db, delay_s=0.15, sent_hz=CANCELLER_HZ), listening()
    assert not await opened(line, door, said(key_tone("9", 0.4)))


async def test_a_long_tone_and_many_short_ones_open_nothing() -> None:
    short = [sound for _ in range(10) for sound in (key_tone("9", 0.06), np.zeros(RATE_HZ // 20, np.int16))]
    line, door = Line(echo_db=-6.0, delay_s=0.3), listening()
    assert not await opened(line, door, said(key_tone("9", 3.0), QUIET, *short))


@pytest.mark.parametrize("cover_hz", [60.0, 5_000.0, 10_000.0])
async def test_a_tone_that_is_covered_by_what_no_line_carries_opens_nothing(cover_hz: float) -> None:
    line, door = Line(echo_db=0.0, delay_s=0.1), listening()
    covered = key_tone("9", 0.4) + tone(cover_hz, 0.4, -10.0)
    assert not await opened(line, door, said(covered))


async def test_the_resident_s_own_key_opens_while_the_visitor_talks() -> None:
    line, door = Line(echo_db=-12.0, delay_s=0.1), listening()
    key = key_tone("9", 0.1) * 2
    assert await opened(line, door, VISITOR[: 2 * RATE_HZ], said(QUIET, key))


async def test_the_resident_s_tones_open_nothing_unless_that_is_wanted() -> None:
    line, door = Line(echo_db=-40.0, delay_s=0.1), Keypad()
    assert not await opened(line, door, QUIET, said(key_tone("9", 0.1)))


async def test_a_visitor_s_tone_does_not_use_up_the_residents_tries() -> None:
    line, door = Line(echo_db=0.0, delay_s=0.1), listening(open_digits="77")
    await opened(line, door, said(*[key_tone(key, 0.08) for key in "123456"]))
    assert door.opener.deaf_s == 0


@pytest.mark.parametrize("address", ["+15551234567", "sip:anna@example.com", "/private/house"])
@pytest.mark.parametrize("way", ["media", "signalling"])
def test_an_event_that_a_gateway_made_of_the_visitor_s_tone_opens_nothing(address: str, way: str) -> None:
    door = Keypad()
    door.call(address)
    assert not door.types("9", way, echo_s=0.3)
    assert door.types("9", way)


def test_a_key_that_the_door_sent_two_seconds_ago_is_no_echo() -> None:
    assert Keypad().types("9", "signalling", echo_s=2.0)


@pytest.mark.parametrize("way", ["media", "signalling", "tones"])
def test_nothing_that_comes_from_a_public_address_opens_the_door(way: str) -> None:
    door = listening(openers=("*", "/public/echo"))
    door.call("/public/echo?channel=audio")
    assert not door.types("9" * 20, way)


def test_an_echo_is_told_in_the_log_once_a_second(caplog: LogCaptureFixture) -> None:
    door = listening()
    door.types("999", "tones", echo_s=0.1)
    assert caplog.text.count("somebody may be playing it at the microphone") == 1


@settings(max_examples=30, deadline=None)
@given(
    key=st.sampled_from("0123456789*#"),
    echo_db=st.floats(-20, 5),
    delay_s=st.floats(0.01, 0.7),
    twist_db=st.floats(-8, 8),
)
def test_no_key_comes_back_as_a_key(key: str, echo_db: float, delay_s: float, twist_db: float) -> None:
    async def attack() -> bool:
        line, door = Line(echo_db=echo_db, delay_s=delay_s), listening(open_digits=key)
        return await opened(line, door, said(key_tone(key, 0.2, twist_db=twist_db)))

    assert not asyncio.run(attack())
