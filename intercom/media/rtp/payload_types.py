"""Payload types: the codec of each number in this call."""

from __future__ import annotations

from intercom.media.codec.g711 import G711Decoder, G711Encoder
from intercom.media.codec.interface import Decoder, Encoder
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.sdp import Description

TELEPHONE_EVENT = "telephone-event"
PREFERENCE = ("opus", "pcmu", "pcma")

Codecs = dict[int, tuple[str, int]]
"""Map from payload type to codec name and clock."""


class PayloadTypes:
    """The audio section's payload types; empty until it is negotiated."""

    def __init__(self) -> None:
        self._receive: Codecs = {}
        self._send: Codecs = {}

    def learn(self, ours: str, theirs: str) -> None:
        """Learn both descriptions' numbers: the far end sends by ours, we by theirs (RFC 3264 section 5.1)."""
        self._send = _audio(theirs)
        self._receive = {**self._send, **_audio(ours)}

    def name(self, number: int) -> str | None:
        """Return the payload type's name in lower case; None for a number that was not negotiated."""
        codec = self._receive.get(number)
        return codec[0] if codec is not None else None

    def clock_hz(self, number: int) -> int:
        """Return the clock rate of the payload type's timestamps; 48 kHz for an unknown one."""
        return self._receive.get(number, ("", 48_000))[1]

    @property
    def sent_codec(self) -> str:
        """Return the best audio codec that the far end accepts."""
        theirs = {name for name, _ in self._send.values()}
        return next((name for name in PREFERENCE if name in theirs), PREFERENCE[0])

    @property
    def telephone_event(self) -> int | None:
        """Return the payload type for keys, with the clock of our audio where there is one (RFC 4733 section 2.1)."""
        clock = next((clock for name, clock in self._send.values() if name == self.sent_codec), 48_000)
        found = {hz: number for number, (name, hz) in self._send.items() if name == TELEPHONE_EVENT}
        return found.get(clock, next(iter(found.values()), None))


def _audio(description: str) -> Codecs:
    return next((s.rtpmaps() for s in Description.parse(description).sections if s.kind == "audio"), {})


def encoder_for(codec: str, *, dtx: bool = False) -> Encoder:
    """Return a new encoder; with `dtx` it sends nothing during silence if the codec can.

    SessionDescriptionError for a codec that the door does not speak.
    """
    if codec == "opus":
        return OpusEncoder(dtx=dtx)
    if codec == "pcmu":
        return G711Encoder("pcmu")
    if codec == "pcma":
        return G711Encoder("pcma")
    raise SessionDescriptionError(f"the door does not speak {codec}")


def decoder_for(codec: str) -> Decoder | None:
    """Return a new decoder; None for a codec that the door does not support."""
    if codec == "opus":
        return OpusDecoder()
    if codec == "pcmu":
        return G711Decoder("pcmu")
    if codec == "pcma":
        return G711Decoder("pcma")
    return None
