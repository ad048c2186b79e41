"""The audio codecs of a call behind one small interface; both sides of it speak 48 kHz mono."""

from __future__ import annotations

from typing import Protocol

from intercom.media.sound import Samples

FRAME_MS = 20
"""What every far end expects (RFC 7874 section 3): half the packets of 10 ms, a third of the wait of 60."""

BITRATE_BPS = 32_000
"""Wide-band mono speech is transparent from here on in Opus, its redundancy included."""


class Encoder(Protocol):
    """Sound into payloads."""

    clock_hz: int
    """Of the RTP timestamps."""

    def encode(self, frame: Samples) -> bytes:
        """The payload of 20 ms (960 samples); empty when it is silence that need not be sent."""

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """What the network allows and what it loses; harmless where the codec cannot follow."""


class Decoder(Protocol):
    """Payloads into sound, and something instead where one is missing."""

    clock_hz: int
    """Of the RTP timestamps."""

    def length(self, payload: bytes) -> int:
        """How long the payload sounds, in ticks of `clock_hz`; CodecError when it is none of this codec."""

    def repairs(self, payload: bytes) -> bool:
        """Whether it also holds the sound of the packet before it; any bytes that `length` takes."""

    def decode(self, payload: bytes) -> Samples:
        """Its sound; CodecError when it is none of this codec."""

    def conceal(self, samples: int) -> Samples:
        """So many samples that go on from what sounded last, fading."""

    def recover(self, following: bytes, samples: int) -> Samples:
        """The lost frame just before `following`, from what that says of it; else concealed."""
