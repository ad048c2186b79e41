"""The near end of a call: encodes captured blocks into packets, which aiortc sends unchanged."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque

import numpy as np
from aiortc.mediastreams import MediaStreamError

from intercom.media.codec.interface import FRAME_MS, Encoder
from intercom.media.dtmf.sent_sound import SentSound
from intercom.media.rtp.packet_sender import EncodedTrack, MediaFrame
from intercom.media.sound.format import RATE_HZ, SILENCE, Samples

FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
"""Samples in one encoded frame."""
MOST_WAITING = 10
"""Limit of packets waiting for the event loop, 200 ms: older sound is dropped rather than sent late."""
GAP_S = 0.1
"""Time without a block after which the RTP timestamps jump ahead: the card was away, and the far end must not wait for
sound that was never captured."""


class MicrophoneTrack(EncodedTrack):
    """A track that the engine's thread pushes sound into.

    Nothing waits: with a slow loop the oldest packets are dropped. Make it on the event loop that sends it.
    """

    kind = "audio"

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._sending_loop = asyncio.get_running_loop()
        self._encoder = encoder
        self._captured: list[Samples] = []
        self._pts = 0
        self._last_push = 0.0
        self._withheld = False
        self._packets: deque[tuple[int, bytes, bool]] = deque(maxlen=MOST_WAITING)
        self._arrived = asyncio.Event()
        self._wanted: tuple[int, int] | None = None
        self._begun = False
        self.sent = 0
        """Packets handed to the connection."""
        self.muted = False
        """Whether silence is sent in place of the captured sound."""
        self.memory = SentSound()
        """Memory of the sent sound."""

    # The engine's thread

    def push(self, block: Samples, now: float) -> None:
        """Take the next captured block."""
        if now - self._last_push > GAP_S and self._last_push:
            self._pts += int((now - self._last_push) * RATE_HZ) // FRAME_SAMPLES * FRAME_SAMPLES
            self._captured = [SILENCE] * len(self._captured)  # the engine's count of half frames holds
        self._last_push = now
        sent = SILENCE if self.muted else block
        self.memory.push(sent, now)
        self._captured.append(sent)
        if sum(map(len, self._captured)) < FRAME_SAMPLES:
            return
        frame = np.concatenate(self._captured)
        self._captured.clear()
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._encoder.adapt(bitrate_bps=wanted[0], loss_percent=wanted[1])
        payload = self._encoder.encode(frame)
        pts, self._pts = self._pts, self._pts + FRAME_SAMPLES
        withheld, self._withheld = self._withheld, not payload
        if not payload:
            return
        self._packets.append((pts, payload, withheld))
        with contextlib.suppress(RuntimeError):  # the loop has closed; the engine lets go of us next
            self._sending_loop.call_soon_threadsafe(self._arrived.set)

    # The event loop

    def use(self, encoder: Encoder) -> None:
        """Encode with `encoder` from now on; call it before the engine pushes."""
        self._encoder = encoder

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """Set the encoder's bit rate and expected loss from the next packet on."""
        self._wanted = (bitrate_bps, loss_percent)

    async def next_frame(self) -> MediaFrame:
        """Return the frame of the next packet; MediaStreamError once the track was stopped."""
        if not self._begun:
            self._begun = True
            self._packets.clear()  # what was said before the connection stood
        while not self._packets:
            if self.readyState != "live":
                raise MediaStreamError
            self._arrived.clear()
            await self._arrived.wait()
        pts, payload, after_silence = self._packets.popleft()
        self.sent += 1
        marker = after_silence or self.sent == 1  # RFC 3551 section 4.1
        return MediaFrame(pts * self._encoder.clock_hz // RATE_HZ, [payload], marker)

    def stop(self) -> None:
        """End the track; aiortc calls this when the connection closes."""
        super().stop()
        self._packets.clear()
        self._arrived.set()
