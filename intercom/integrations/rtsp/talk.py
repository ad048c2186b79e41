"""The way back: a viewer talks at the door (ONVIF's backchannel). One at a time, and never over a call."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from intercom.integrations.rtsp.rtp import Received
from intercom.integrations.rtsp.streams import Codec
from intercom.media.codec.g711 import G711Decoder
from intercom.media.codec.interface import Decoder
from intercom.media.codec.opus import OpusDecoder
from intercom.media.rtp.playout import Playout
from intercom.media.sound.beside import BesideCall

log = logging.getLogger(__name__)

SILENT_S = 1.0
"""Time without a packet after which a talker has let go: a pause in speech is sent as sound."""


class Loudspeaker:
    """The door's loudspeaker, which one talker at a time has. Belongs to the event loop."""

    def __init__(self, sound: BesideCall) -> None:
        self._sound = sound
        self._talker: Talker | None = None

    def grant(self, talker: Talker, now_s: float) -> bool:
        """Return whether this talker has the loudspeaker; it gets it if nobody else has it."""
        other = self._talker
        if other is not None and other is not talker:
            if not other.is_silent(now_s):
                return False
            other.rest()
        if self._talker is not talker:
            self._talker = talker
            self._sound.speak(talker.playout)
        return True

    def release(self, talker: Talker) -> None:
        """Take it back; harmless when another has it."""
        if self._talker is talker:
            self._talker = None
            self._sound.hush(talker.playout)


class Talker:
    """One viewer who may talk."""

    def __init__(
        self,
        speaker: Loudspeaker,
        codec: Codec,
        payload_type: int,
        who: str,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speaker = speaker
        self._codec = codec
        self._payload_type = payload_type
        self._who = who
        self._clock = clock
        self._heard_s = float("-inf")
        self._source: int | None = None
        self.playout = Playout(self._decoder())
        """Sound that the engine pulls."""

    @property
    def talks(self) -> bool:
        """Whether the viewer talks now."""
        return self._source is not None

    def take(self, packet: Received) -> None:
        """Play a packet of the viewer's voice, if nobody else talks."""
        now_s = self._clock()
        if packet.payload_type != self._payload_type:
            return
        if self._source != packet.source:
            if not self._speaker.grant(self, now_s):
                return
            log.info("%s talks at the door", self._who)
            self._source = packet.source
        self._heard_s = now_s
        self.playout.put(packet.sequence, packet.timestamp, packet.payload, now_s)

    def is_silent(self, now_s: float) -> bool:
        """Return whether nothing came for a while."""
        return now_s - self._heard_s >= SILENT_S

    def tick(self) -> None:
        """Give the loudspeaker back after a silence."""
        if self.talks and self.is_silent(self._clock()):
            self.rest()

    def rest(self) -> None:
        """Give the loudspeaker back."""
        self._source = None
        self._speaker.release(self)
        self.playout = Playout(self._decoder())

    def _decoder(self) -> Decoder:
        return OpusDecoder() if self._codec == "opus" else G711Decoder("pcma")
