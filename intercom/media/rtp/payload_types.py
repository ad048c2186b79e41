"""Payload types: the codec of each number in this call."""

from __future__ import annotations

from intercom.media.codec.g711 import G711Decoder, G711Encoder
from intercom.media.codec.interface import Decoder, Encoder
from intercom.media.codec.opus import OpusDecoder, OpusEncoder
from intercom.media.errors import SessionDescriptionError
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.redundancy import RED, Block, Redundancy, unpack
from intercom.media.rtp.sdp import Description, Section
from intercom.media.rtp.sdp_redundancy import redundant_opus

TELEPHONE_EVENT = "telephone-event"
PREFERENCE = ("opus", "pcmu", "pcma")

NO_SECTION = Section("audio", 0, "", [], [])
Codecs = dict[int, tuple[str, int]]
"""Map from payload type to codec name and clock."""


class PayloadTypes:
    """The audio section's payload types; empty until it is negotiated."""

    def __init__(self) -> None:
        self._receive: Codecs = {}
        self._send: Codecs = {}
        self.redundant: int | None = None
        """Number of redundant audio that the far end sends; None where it was not agreed on."""
        self.redundancy: Redundancy | None = None
        """Redundancy of our sound (RFC 2198); None where it was not agreed on."""

    def learn(self, ours: str, theirs: str) -> None:
        """Learn both descriptions' numbers: the far end sends by ours, we by theirs (RFC 3264 section 5.1)."""
        mine, far = _audio(ours), _audio(theirs)
        self._send, own = far.rtpmaps(), mine.rtpmaps()
        incoming, outgoing = redundant_opus(mine), redundant_opus(far)
        redundant = redundancy = None
        if incoming is not None and outgoing is not None:
            redundant, redundancy = incoming[0], Redundancy(*outgoing)
        elif incoming is not None:
            del own[incoming[0]]  # which the far end may have given to another codec
        # at once: the engine's thread unwraps packets meanwhile
        self.redundant, self.redundancy, self._receive = redundant, redundancy, {**self._send, **own}

    def unwrap(self, packet: Packet) -> tuple[str | None, list[Block]]:
        """Return the codec of the packet's sound, and the sound of packets before it, the oldest first.

        Its payload is its own sound then. Only Opus is agreed on within redundant audio: other blocks are left out.
        """
        codec = self.name(packet.payload_type)
        if codec != RED:
            return codec, []
        blocks = unpack(packet.payload) if packet.payload_type == self.redundant else []
        if not blocks or self.name(blocks[-1].payload_type) != "opus":
            return None, []
        packet.payload = blocks.pop().payload
        return "opus", [block for block in blocks if self.name(block.payload_type) == "opus"]

    def name(self, number: int) -> str | None:
        """Return the payload type's name in lower case; None for a number that was not negotiated."""
        codec = self._receive.get(number)
        return codec[0] if codec is not None else None

    def is_known(self, number: int) -> bool:
        """Return whether packets of this number were agreed on: sound, as it is or redundant, or keys."""
        return number in self._receive

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


def _audio(description: str) -> Section:
    sections = Description.parse(description).sections
    return next((section for section in sections if section.kind == "audio" and section.port), NO_SECTION)


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
