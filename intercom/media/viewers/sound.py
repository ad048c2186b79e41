"""The sound of one viewer: it hears the door, and is heard there while it speaks. Keys are neither agreed on nor read.

A call comes first: while there is one, what a viewer says is dropped.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from aiortc import RTCPeerConnection, RTCRtpSender

from intercom.media.dtmf.in_band import HeardKey
from intercom.media.rtp.audio_track import MicrophoneTrack
from intercom.media.rtp.far_end import FarEndSound
from intercom.media.rtp.hooks import take_packets
from intercom.media.rtp.packet import Packet
from intercom.media.rtp.packet_sender import PacketSender
from intercom.media.rtp.payload_types import PREFERENCE, PayloadTypes, encoder_for
from intercom.media.sound.beside import BesideCall
from intercom.media.sound.format import BLOCK_SAMPLES, SILENCE, Samples

QUIET_S = 2.0
"""Time without a packet after which a viewer has stopped speaking: the loudspeaker is released."""
CALL_S = 0.25
"""Time without a pull after which a viewer's voice is not being played, because a call has the loudspeaker."""


class ViewerSound:
    """The audio sections of one viewer's connection; use it on one event loop."""

    def __init__(self, beside: BesideCall, clock: Callable[[], float]) -> None:
        self._beside = beside
        self._clock = clock
        self._track = MicrophoneTrack(encoder_for("opus"))
        self._payload_types = PayloadTypes()
        self._voice: Voice | None = None
        "the voice, while the viewer speaks"
        self._spoke_at = 0.0
        self._hears = self._begun = False
        self._quiet: asyncio.TimerHandle | None = None

    def add(self, peer: RTCPeerConnection, wants: str) -> None:
        """Add the section that answers one which the far end offered in the direction `wants`."""
        if wants == "sendonly":
            transceiver = peer.addTransceiver("audio", "recvonly")
        else:
            self._hears = True
            transceiver = peer.addTransceiver(self._track, "sendonly" if wants == "recvonly" else "sendrecv")
            PacketSender(transceiver.sender)
        known = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for name in PREFERENCE for codec in known if codec.mimeType.lower() == f"audio/{name}"]
        )
        if wants != "recvonly":
            take_packets(transceiver.receiver, self._receive, self._payload_types.clock_hz)

    def negotiated(self, ours: str, theirs: str) -> None:
        """Use what both descriptions agree on."""
        self._payload_types.learn(ours, theirs)
        self._track.use(encoder_for(self._payload_types.sent_codec))

    def begin(self) -> None:
        """Hear the door from now on, and be heard there: the connection stands."""
        self._begun = True
        if self._hears:
            self._beside.listen(self._track)

    def end(self) -> None:
        """Hear and say nothing more, however far it came."""
        self._begun = False
        self._beside.leave(self._track)
        self._track.stop()
        self._hush()

    def _receive(self, packet: Packet, age_s: float) -> None:
        codec, now = self._payload_types.name(packet.payload_type), self._clock()
        if not self._begun or codec is None:
            return
        self._spoke_at = now
        if self._voice is None and self._beside.voice is None:
            self._voice = Voice(self._clock)
            self._beside.speak(self._voice)
            self._quiet = asyncio.get_running_loop().call_later(QUIET_S, self._look_whether_quiet)
        if self._voice is not None:
            self._voice.take(packet, codec)

    def _look_whether_quiet(self) -> None:
        quiet_s = self._clock() - self._spoke_at
        if quiet_s >= QUIET_S or self._voice is None or self._voice.waits:
            self._hush()
        else:
            self._quiet = asyncio.get_running_loop().call_later(QUIET_S - quiet_s, self._look_whether_quiet)

    def _hush(self) -> None:
        if self._quiet is not None:
            self._quiet.cancel()
        if self._voice is not None:
            self._beside.hush(self._voice)
        self._voice = None


class Voice:
    """What a viewer says, from its first packet until it is quiet: the packets come on the loop, the engine pulls."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._far_end = FarEndSound(_no_digit, _no_key, clock)
        self._clock = clock
        self._pulled_at = clock()
        self._stale = False
        "whether what the far end keeps was said before or during a call"

    @property
    def waits(self) -> bool:
        """Whether it is not being played, because a call has the loudspeaker."""
        return self._clock() - self._pulled_at > CALL_S

    def take(self, packet: Packet, codec: str) -> None:
        """Take a packet; one that would be played only after a call is dropped."""
        if self.waits:
            return
        if self._stale:
            self._far_end, self._stale = FarEndSound(_no_digit, _no_key, self._clock), False
        self._far_end.receive(packet, codec)

    def pull(
        self, now: float, shortest: int = BLOCK_SAMPLES, longest: int = BLOCK_SAMPLES, spare_s: float = 0.0
    ) -> Samples:
        """Return the next 480 samples, or blocks of `shortest`, or two; called on the engine's thread."""
        if self.waits:
            self._stale = True
        self._pulled_at = self._clock()
        return SILENCE if self._stale else self._far_end.pull(now, shortest, longest, spare_s)


def _no_digit(_digit: str) -> None:
    """Ignore a telephone event: none was agreed on."""


def _no_key(_key: HeardKey, _at: float) -> None:
    """Ignore a key in the sound: nobody listens for any."""
