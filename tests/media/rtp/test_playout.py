"""What the speaker gets, in simulated time: clocks that differ, losses, damage."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import numpy as np
import pytest

from intercom.media.rtp.playout import Playout
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SHORT_BLOCK_SAMPLES, Samples

FRAME = 960
FRAME_S = 0.02


TURN_MS = 20_000
"""A sample's value is when it was captured, in ms; after so long it begins at nought again."""


def numbered(number: int, samples: int) -> Samples:
    return ((number * FRAME + np.arange(FRAME)[-samples:]) / 48 % TURN_MS).astype(np.int16)


class NumberedFrames:
    """A codec whose sound says which frame it is."""

    clock_hz = RATE_HZ

    def length(self, payload: bytes) -> int:
        return FRAME

    def repairs(self, payload: bytes) -> bool:
        return True

    def decode(self, payload: bytes) -> Samples:
        return numbered(int.from_bytes(payload, "big"), FRAME)

    def conceal(self, samples: int) -> Samples:
        return np.zeros(samples, np.int16)

    def recover(self, following: bytes, samples: int) -> Samples:
        return numbered(int.from_bytes(following, "big") - 1, samples)


def delays_ms(seconds: float, *, far_ppm: float = 0.0, loss: float = 0.0, loss_ends_s: float = 1e9) -> list[float]:
    """Capture to playout of what sounds, once a second, with our card and clock exact."""
    chance = random.Random(7)
    playout = Playout(NumberedFrames())
    period_s = FRAME_S / (1 + far_ppm / 1e6)
    sent = 0
    delays = []
    for block in range(int(seconds * 100)):
        now = block * 0.01
        while (arrival := (sent + 1) * period_s + 0.001) <= now:
            if arrival > loss_ends_s or chance.random() >= loss:
                playout.put(sent % 65536, sent * FRAME % 2**32, (sent).to_bytes(4, "big"), arrival)
            sent += 1
        sound = playout.pull(now)
        if block % 100 == 99:
            delays.append((now / period_s * FRAME_S * 1000 - float(np.median(sound)) + 5) % TURN_MS)
    return delays


@pytest.mark.parametrize("ppm", [-300.0, 300.0])
def test_the_delay_stays_flat_whatever_the_far_clock_does(ppm: float) -> None:
    delays = delays_ms(150, far_ppm=ppm)  # without correction: 45 ms more, or none left
    settled = delays[10:]
    assert max(settled) <= 40
    assert max(settled) - min(settled) <= 13, "it wanders by the block in whose time a packet comes, and no further"
    assert abs(np.mean(settled[:66]) - np.mean(settled[-66:])) < 1.5, "two times through that block"


@pytest.mark.parametrize("longest", [BLOCK_SAMPLES, 2 * BLOCK_SAMPLES])
@pytest.mark.parametrize("late_ms", range(0, 10, 2))
def test_whenever_packets_come_the_speaker_soon_asks_just_after_them(late_ms: int, longest: int) -> None:
    playout, now, sent = Playout(NumberedFrames()), 0.0, 0
    waits_ms = []
    while now < 5.0:
        while (arrival := (sent + 1) * FRAME_S + late_ms / 1000) <= now:
            playout.put(sent, sent * FRAME, sent.to_bytes(4, "big"), arrival)
            sent += 1
        sound = playout.pull(now, SHORT_BLOCK_SAMPLES, longest)
        if now > 2.5:
            assert len(sound) == longest, "a packet's two blocks are there at once"
            captured_ms = float(sound[0])
            waits_ms.append(1000 * (now - FRAME_S) - late_ms - captured_ms)
        now += len(sound) / RATE_HZ
    assert max(waits_ms) < 7, "by chance it would be as much as 14"
    assert max(waits_ms) - min(waits_ms) < 1.5


def test_the_delay_returns_after_a_time_of_loss() -> None:
    delays = delays_ms(40, loss=0.05, loss_ends_s=20)
    assert max(delays[28:]) <= 45


def test_a_damaged_packet_is_concealed_and_counted() -> None:
    from intercom.media.codec.opus import OpusDecoder

    playout = Playout(OpusDecoder())
    assert not playout.put(0, 0, b"", 0.0)
    assert playout.stats().damaged == 1


def test_before_the_first_packet_there_is_silence() -> None:
    block = Playout(NumberedFrames()).pull(0.0)
    assert len(block) == BLOCK_SAMPLES
    assert not block.any()


@dataclass
class Spoken:
    """A playout, into whose time packets fall; the first second of them is played."""

    playout: Playout = field(default_factory=lambda: Playout(NumberedFrames()))
    sent: int = 0
    now: float = FRAME_S + 0.003

    def put(self, at: float) -> None:
        self.playout.put(self.sent, self.sent * FRAME, self.sent.to_bytes(4, "big"), at)
        self.sent += 1

    def second(self) -> Spoken:
        for _ in range(50):
            self.put(self.now - 0.003)
            assert len(self.pull()) == FRAME
            self.now += FRAME_S
        return self

    def pull(self, spare_s: float = 0.006) -> Samples:
        return self.playout.pull(self.now, BLOCK_SAMPLES, 2 * BLOCK_SAMPLES, spare_s)


def test_a_packet_that_is_a_little_late_is_waited_for_and_played_as_if_it_had_been_there() -> None:
    spoken = Spoken().second()
    assert not len(spoken.pull(0.006))
    spoken.now += 0.002
    assert not len(spoken.pull(0.004))
    spoken.put(spoken.now)
    spoken.now += 0.002
    sound = spoken.pull(0.002)
    assert len(sound) == FRAME
    stats = spoken.playout.stats()
    assert (stats.made_up_s, stats.speed) == (0.0, 1.0)


def test_a_packet_that_the_speaker_cannot_wait_for_any_longer_is_made_up_for() -> None:
    spoken = Spoken().second()
    assert not len(spoken.pull(0.006))
    spoken.now += 0.006
    assert len(spoken.pull(0.0)) == BLOCK_SAMPLES
    assert spoken.playout.stats().made_up_s > 0


def test_a_speaker_that_returns_after_it_waited_is_in_its_own_time() -> None:
    spoken = Spoken().second()
    assert not len(spoken.pull(0.006))
    for _ in range(5):
        spoken.put(spoken.now)
        spoken.now += FRAME_S
    assert len(spoken.pull(0.0))
    assert spoken.playout.stats().made_up_s == 0.0, "by the time at which it waited these would be early"


def test_what_the_far_end_does_not_say_is_not_waited_for() -> None:
    spoken = Spoken().second()
    for _ in range(30):
        spoken.pull(0.0)
        spoken.now += BLOCK_SAMPLES / RATE_HZ
    assert len(spoken.pull(0.006)) == BLOCK_SAMPLES
