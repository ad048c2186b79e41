"""The common interface of a call's audio codecs: mono, 48 kHz towards the engine, 48 or 16 kHz from it."""

from __future__ import annotations

from typing import Protocol

from intercom.media.sound.format import BLOCK_MS, Samples

FRAME_MS = 20
"""Frame length that every far end expects (RFC 7874 section 3): half the packets of 10 ms, a third of the delay of 60
ms."""
FRAME_BLOCKS = FRAME_MS // BLOCK_MS
"""Blocks in a frame."""
FRAMES_PER_S = 1000 // FRAME_MS

BITRATE_BPS = 32_000
"""Usual bit rate of our audio: Opus is transparent for wide-band mono speech from here on, redundancy included."""


class Encoder(Protocol):
    """Encodes sound into payloads."""

    clock_hz: int
    """Clock rate of the RTP timestamps."""

    def encode(self, frame: Samples) -> bytes:
        """Encode 20 ms, 960 or 320 samples, into a payload; empty when it is silence that need not be sent."""

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """Set the bit rate and the expected loss, 0 where lost packets are sent again by other means.

        A codec that cannot follow ignores this.
        """


class Decoder(Protocol):
    """Decodes payloads into sound, and conceals or recovers lost ones."""

    clock_hz: int
    """Clock rate of the RTP timestamps."""

    def length(self, payload: bytes) -> int:
        """Return the payload's duration in ticks of `clock_hz`; CodecError when it is not of this codec."""

    def repairs(self, payload: bytes) -> bool:
        """Whether the payload also holds the previous packet's sound; takes any payload that `length` accepts."""

    def decode(self, payload: bytes) -> Samples:
        """Decode the payload into sound; CodecError when it is not of this codec."""

    def conceal(self, samples: int) -> Samples:
        """Conceal a loss: return `samples` samples that continue the last sound and fade."""

    def recover(self, following: bytes, samples: int) -> Samples:
        """Recover the lost frame just before `following` from its redundancy; conceal it where there is none."""
