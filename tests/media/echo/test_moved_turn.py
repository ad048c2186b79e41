"""The canceller while the speaker's turn moves: shorter blocks come earlier, and what is played stays what is heard."""

from __future__ import annotations

import numpy as np

from intercom.media.echo.canceller import EchoCanceller
from intercom.media.echo.webrtc import WebRtcBackend
from intercom.media.sound.format import BLOCK_SAMPLES, RATE_HZ, SHORT_BLOCK_SAMPLES, SILENCE, level_db
from tests.media.echo.raised import raised
from tests.media.echo.test_canceller import room, voice
from tests.media.sound.test_sent_rate import Passing

QUEUE = 2 * BLOCK_SAMPLES


class Card:
    """A speaker whose queue is filled to 20 ms, and a microphone whose clock may differ."""

    def __init__(self, canceller: EchoCanceller, speaker_ppm: float) -> None:
        self._canceller = canceller
        self._ratio = 1 + speaker_ppm / 1e6
        self._captured = self._written = 0

    def runs(self, seconds: float, *, short: int = 0) -> list[float]:
        """Play silence, the first blocks of it short, and return the drift as the canceller sees it."""
        drifts = []
        for _ in range(round(seconds * 100)):
            self._captured += BLOCK_SAMPLES
            while self._written < self._captured * self._ratio + QUEUE:
                block = SILENCE[:SHORT_BLOCK_SAMPLES] if short else SILENCE
                short = max(0, short - 1)
                self._canceller.played(block)
                self._written += len(block)
            self._canceller.clean(SILENCE)
            drifts.append(self._canceller.stats().drift_ppm)
        return drifts


def test_how_far_the_clocks_drift_is_known_as_before() -> None:
    card = Card(EchoCanceller(Passing()), 300)
    known = card.runs(120)[-1]
    assert abs(known) > 200
    assert min(drift / known for drift in card.runs(10, short=40)) > 0.5


def test_the_echo_is_30_db_softer_four_seconds_after_a_call_s_beginning() -> None:
    far = voice(12)
    microphone = room(far)
    canceller, written, cleaned, moved = EchoCanceller(WebRtcBackend()), 0, [], 0
    for at in range(0, len(far) - BLOCK_SAMPLES + 1, BLOCK_SAMPLES):
        while written < min(at + QUEUE, len(far)):
            length = SHORT_BLOCK_SAMPLES if moved < 50 else BLOCK_SAMPLES
            canceller.played(far[written : written + length])
            written, moved = written + length, moved + 1
        cleaned.append(canceller.clean(microphone[at : at + BLOCK_SAMPLES]))
    sent = raised(cleaned, canceller.rate_hz)
    late = slice(4 * RATE_HZ, 12 * RATE_HZ)
    assert level_db(microphone[late]) - level_db(np.asarray(sent[late])) > 30


def test_blocks_that_are_written_before_their_time_are_no_drift() -> None:
    canceller, written = EchoCanceller(Passing()), 0
    for captured in range(0, 20 * RATE_HZ, BLOCK_SAMPLES):
        alone = captured == 10 * RATE_HZ  # a packet was late, and from then on two blocks are written at the other turn
        while written <= captured:
            canceller.played(SILENCE if alone else np.zeros(2 * BLOCK_SAMPLES, np.int16))
            written += BLOCK_SAMPLES if alone else 2 * BLOCK_SAMPLES
        if captured // BLOCK_SAMPLES % 2:
            canceller.clean(np.zeros(2 * BLOCK_SAMPLES, np.int16), written - captured)
    assert canceller.stats().drift_ppm == 0
