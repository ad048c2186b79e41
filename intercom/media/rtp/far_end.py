"""The far end of a call: takes its packets, returns its sound, reports its digits."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence

import numpy as np

from intercom.media.dtmf.in_band import HeardKey, KeyDetector
from intercom.media.dtmf.telephone_event import DigitReader
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.payload_types import TELEPHONE_EVENT, decoder_for
from intercom.media.rtp.playout import Playout, PlayoutStats
from intercom.media.rtp.redundancy import Block
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE, Samples, to_samples


class FarEndSound:
    """Receives packets on the event loop or as they are read; the engine's thread pulls the sound."""

    def __init__(
        self, on_digit: Callable[[str], None], on_tone: Callable[[HeardKey, float], None], clock: Callable[[], float]
    ) -> None:
        """On the loop, `on_digit` gets each telephone event, `on_tone` each key heard in the sound and its time."""
        self._on_digit = on_digit
        self._on_tone = on_tone
        self._clock = clock
        self._reader = DigitReader()
        self._reading = threading.Lock()
        self._playout: Playout | None = None
        self._source: tuple[int, str] | None = None
        self._detector: KeyDetector | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread = 0
        self.read: Callable[[], None] = _nothing
        """Takes the packets that have come and were not received yet; called before each pull."""
        self.last_packet_at = 0.0
        """Time of the last packet, on the call's clock; 0 before the first."""
        self.last_gap_s = 0.0
        """The longest time between two packets since the last silence."""
        self.gain = 1.0
        """Factor of the far end's sound."""
        self.muted = False
        """Whether the far end's sound is dropped; its keys are read all the same."""

    def listen_for_keys(self, wanted: bool) -> None:
        """Detect keys in the sound itself, for a far end without telephone events; call it on the event loop."""
        self._loop, self._loop_thread = asyncio.get_running_loop(), threading.get_ident()
        if not wanted:
            self._detector = None
        elif self._detector is None:
            self._detector = KeyDetector()

    def receive(self, packet: Packet, codec: str | None, earlier: Sequence[Block] = (), age_s: float = 0.0) -> None:
        """Take an RTP packet of a negotiated codec; with None it only counts as a sign of life.

        `earlier`: the sound of packets before it, the oldest first, which came with it. `age_s`: how long ago it came.
        """
        now = self._clock() - age_s
        gap_s = now - self.last_packet_at
        if self.last_packet_at and gap_s > 1.0:
            self.last_gap_s = gap_s
        self.last_packet_at = now
        if codec == TELEPHONE_EVENT:
            if self._playout is not None and self._source is not None and self._source[0] == packet.ssrc:
                self._playout.put_soundless(packet.sequence_number)
            with self._reading:
                digit = self._reader.read(packet.timestamp, packet.payload)
            if digit is not None:
                self._tell(self._on_digit, digit)
        elif codec is not None and packet.payload:
            playout = self._playout_of(packet.ssrc, codec)
            if playout is not None:
                playout.put(packet.sequence_number, packet.timestamp, packet.payload, now, earlier)

    def _tell(self, listener: Callable[..., None], *heard: object) -> None:
        """Call a listener on the event loop, at once where this is its thread."""
        if self._loop is None or threading.get_ident() == self._loop_thread:
            listener(*heard)
            return
        with contextlib.suppress(RuntimeError):  # the loop has closed; the engine lets go of us next
            self._loop.call_soon_threadsafe(listener, *heard)

    def _playout_of(self, ssrc: int, codec: str) -> Playout | None:
        """Return the playout of this stream; another source or codec gets a new one."""
        if self._source != (ssrc, codec):
            decoder = decoder_for(codec)
            if decoder is None:
                return None
            self._source = (ssrc, codec)
            self._playout = Playout(decoder)
        return self._playout

    def pull(
        self, now: float, shortest: int = BLOCK_SAMPLES, longest: int = BLOCK_SAMPLES, spare_s: float = 0.0
    ) -> Samples:
        """Return the next 480 samples, or two blocks, or blocks of `shortest`, which make keys sound higher.

        While keys are listened for it is always 480. It is none while a late packet may be waited for: `spare_s`.
        """
        self.read()
        playout = self._playout
        if playout is None:
            return SILENCE
        detector = self._detector
        playout.keeps_tones = detector is not None
        if detector is not None:
            shortest = longest = BLOCK_SAMPLES
        block = playout.pull(now, shortest, longest, spare_s)
        if not len(block):
            return block
        if detector is not None:
            key = detector.listen(block)
            if key is not None:
                self._tell(self._on_tone, key, now)
        if self.muted or self.gain == 0.0:
            return np.zeros(len(block), np.int16)
        return block if self.gain == 1.0 else to_samples(block * np.float32(self.gain))

    def stats(self) -> PlayoutStats | None:
        """Return the playout's figures; None before the first packet."""
        return self._playout.stats() if self._playout is not None else None


def _nothing() -> None:
    """Read nothing: the packets come by the event loop."""
