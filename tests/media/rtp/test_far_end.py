"""Keys that come with the far end's sound, as events or as tones: each counts once."""

from __future__ import annotations

import asyncio
from collections.abc import Container

import numpy as np
from aiortc.rtp import RtpPacket

from intercom.media.codec.g711 import G711Encoder
from intercom.media.dtmf.telephone_event import payloads
from intercom.media.rtp.far_end import FarEndSound
from intercom.media.rtp.payload_types import TELEPHONE_EVENT
from intercom.media.sound.format import RATE_HZ, SHORT_BLOCK_SAMPLES
from tests.media.dtmf.test_in_band import PAUSE, key_tone

FRAME_S = 0.02
FRAME = int(RATE_HZ * FRAME_S)
FRAME_TICKS = 160


class FarEnd:
    """A telephone that sends PCMU, and an engine that pulls what it says in another thread."""

    def __init__(self) -> None:
        self.now = 10.0
        self.keys: list[str] = []
        self.sound = FarEndSound(self.keys.append, lambda heard, at: self.keys.append(heard.key), lambda: self.now)
        self._encoder = G711Encoder("pcmu")
        self._number = 0
        self._asks_at = self.now + 0.008
        """Time of the speaker's next turn: long after the packets, and on a card on which it may be moved."""

    async def plays(self, wave: np.ndarray[tuple[int], np.dtype[np.int16]], held_up: Container[int] = ()) -> None:
        """Send and pull it all; frames that are held up come together with the next that is not."""
        waiting: list[bytes] = []
        for frame, at in enumerate(range(0, len(wave) - FRAME + 1, FRAME)):
            waiting.append(self._encoder.encode(wave[at : at + FRAME]))
            if frame not in held_up:
                for payload in waiting:
                    self._receive("pcmu", payload)
                waiting.clear()
            await asyncio.to_thread(self._pull)
            self.now += FRAME_S
        await asyncio.sleep(0)  # what the other thread told is carried out

    def presses(self, key: str) -> None:
        at = self._number * FRAME_TICKS
        for payload in payloads(key, duration_ms=80, step_ms=40, clock_hz=8000):
            self._receive(TELEPHONE_EVENT, payload, timestamp=at)

    def _receive(self, codec: str, payload: bytes, *, timestamp: int | None = None) -> None:
        packet = RtpPacket(payload_type=0, sequence_number=self._number, ssrc=1)
        packet.timestamp = self._number * FRAME_TICKS if timestamp is None else timestamp
        packet.payload = payload
        self._number += 1
        self.sound.receive(packet, codec)

    def _pull(self) -> None:
        while self._asks_at < self.now + FRAME_S:
            self._asks_at += len(self.sound.pull(self._asks_at, SHORT_BLOCK_SAMPLES)) / RATE_HZ


TYPED = np.concatenate([PAUSE, key_tone("4"), PAUSE, key_tone("2"), PAUSE, PAUSE])


async def test_tones_of_a_far_end_that_knows_no_events_are_keys_once_each() -> None:
    far_end = FarEnd()
    far_end.sound.listen_for_keys(True)
    await far_end.plays(TYPED)
    assert far_end.keys == ["4", "2"]


async def test_tones_are_keys_though_the_far_end_is_not_played() -> None:
    far_end = FarEnd()
    far_end.sound.listen_for_keys(True)
    far_end.sound.muted = True
    await far_end.plays(TYPED)
    assert far_end.keys == ["4", "2"]


async def test_a_key_that_is_held_while_packets_are_late_is_one_key() -> None:
    far_end = FarEnd()
    far_end.sound.listen_for_keys(True)
    presses = np.concatenate([PAUSE, PAUSE, *[key_tone("5", 0.8), PAUSE, PAUSE] * 4])
    await far_end.plays(presses, {first + late for first in range(20, len(presses) // FRAME, 29) for late in (0, 1)})
    assert far_end.keys == ["5"] * 4


async def test_a_key_in_a_packet_that_is_waited_for_is_heard_once() -> None:
    far_end = FarEnd()
    far_end.sound.listen_for_keys(True)
    far_end.sound.gain = 0.5
    await far_end.plays(np.concatenate([PAUSE, PAUSE]))
    assert not len(far_end.sound.pull(far_end.now, spare_s=0.005)), "the next packet is not there yet"
    await far_end.plays(TYPED)
    assert far_end.keys == ["4", "2"]


async def test_tones_beside_the_events_of_a_far_end_that_knows_them_count_for_nothing() -> None:
    far_end = FarEnd()
    far_end.sound.listen_for_keys(True)
    far_end.sound.listen_for_keys(False)
    await far_end.plays(PAUSE)
    far_end.presses("4")
    await far_end.plays(TYPED)
    assert far_end.keys == ["4"]
