"""The speaker's turn in simulated time, from packets to the card: soon after the packets, whenever they come."""

from __future__ import annotations

import itertools
from importlib.resources import files
from pathlib import Path

import pytest

from bench.mouth_to_ear_simulated import NETWORK_S, BenchCards, Clock, Quiet, Served, Wire
from intercom.media.codec.opus import FRAME_SAMPLES, OpusEncoder
from intercom.media.echo.canceller import EchoCanceller
from intercom.media.rtp.playout import Playout
from intercom.media.sound.format import BLOCK_MS, RATE_HZ, Samples
from intercom.media.sound.sound_file import load_sound
from tests.media.sound.test_sent_rate import Passing

FRAME_S = FRAME_SAMPLES / RATE_HZ


class Asked:
    """A far end that remembers when it was asked for a block."""

    def __init__(self, playout: Playout) -> None:
        self._playout = playout
        self.at: list[float] = []

    def pull(self, now: float) -> Samples:
        self.at.append(now)
        return self._playout.pull(now)


@pytest.mark.parametrize("begins_s", [0.0, 0.003, 0.006, 0.009, 0.0125, 0.017, 8.0, 8.006])
def test_the_turn_is_soon_after_the_packets_at_even_intervals_and_the_canceller_sees_no_drift(begins_s: float) -> None:
    voice = load_sound(Path(str(files("intercom.media").joinpath("visitor.wav"))))
    clock = Clock()
    wire, canceller = Wire(clock), EchoCanceller(Passing())
    far = Asked(wire.playout)
    engine = Served(BenchCards(clock, voice=voice), clock, far, Quiet(), canceller)
    packet = OpusEncoder().encode(voice[:FRAME_SAMPLES])
    begin = clock.now + 0.1 + begins_s
    while clock.now < begin + 12:
        spoken_at = begin + wire.sent * FRAME_S
        clock.now = max(clock.now + 1e-4, min(spoken_at, wire.due(), engine.due))
        if spoken_at <= clock.now:
            wire.send(packet, spoken_at)
        wire.deliver()
        engine.serve()
    asked_at = [at for at in far.at if at > begin + 2]
    intervals_ms = [1000 * (later - at) for at, later in itertools.pairwise(asked_at)]
    assert min(intervals_ms) > BLOCK_MS - 1
    assert max(intervals_ms) < BLOCK_MS + 1
    waits_ms = [1000 * (at - begin - NETWORK_S) % BLOCK_MS for at in asked_at]
    assert min(waits_ms) > 1, "a packet that is a little late is in time"
    assert max(waits_ms) < 6, "by chance it would be as much as 10"
    assert canceller.stats().drift_ppm == 0
