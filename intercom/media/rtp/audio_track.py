"""The near end of a call: encodes captured blocks into packets, which leave on the engine's own thread."""

from __future__ import annotations

import numpy as np

from intercom.media.codec.interface import FRAME_BLOCKS, FRAME_MS, Encoder
from intercom.media.dtmf.sent_sound import SentSound
from intercom.media.rtp.call_stats import audio_bitrate_bps, expected_loss_percent
from intercom.media.rtp.packet_sender import MediaFrame, PushedTrack
from intercom.media.rtp.redundancy import Redundancy
from intercom.media.sound.format import RATE_HZ, SILENCE, Samples

FRAME_SAMPLES = RATE_HZ * FRAME_MS // 1000
"""Length of one encoded frame at 48 kHz."""
GAP_S = 0.1
"""Time without a block after which the RTP timestamps jump ahead: the card was away, and the far end must not wait for
sound that was never captured."""


class MicrophoneTrack(PushedTrack):
    """A track that the engine's thread pushes sound into; what comes before the connection stands is dropped."""

    kind = "audio"

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self._encoder = encoder
        self._captured: list[Samples] = []
        self._pts = 0
        self._last_push = 0.0
        self._withheld = False
        self._wanted: tuple[int, int] | None = None
        self._redundancy: Redundancy | None = None
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
            self._captured = [SILENCE[: len(block)]] * len(self._captured)  # the engine's count of half frames holds
        self._last_push = now
        sent = SILENCE[: len(block)] if self.muted else block
        self.memory.push(sent, now)
        self._captured.append(sent)
        if len(self._captured) < FRAME_BLOCKS:
            return
        frame = np.concatenate(self._captured)
        self._captured.clear()
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            self._encoder.adapt(bitrate_bps=wanted[0], loss_percent=wanted[1])
        payload = self._encoder.encode(frame)
        pts, self._pts = self._pts, self._pts + FRAME_SAMPLES
        after_silence, self._withheld = self._withheld, not payload
        send = self._send
        if not payload or send is None:
            return
        self.sent += 1
        marker = after_silence or self.sent == 1  # RFC 3551 section 4.1
        timestamp, redundancy = pts * self._encoder.clock_hz // RATE_HZ, self._redundancy
        if redundancy is None:
            send(MediaFrame(timestamp, [payload], marker))
        else:
            send(MediaFrame(timestamp, [redundancy.pack(timestamp, payload)], marker, redundancy.payload_type))

    # The event loop

    def use(self, encoder: Encoder) -> None:
        """Encode with `encoder` from now on; call it before the engine pushes."""
        self._encoder = encoder

    def repeat(self, redundancy: Redundancy | None) -> None:
        """Send the sound of the last packets again in each from now on, or with None as the encoder makes it alone."""
        if (redundancy is None) is not (self._redundancy is None):
            repeated = redundancy is not None
            self._wanted = (audio_bitrate_bps(0.0, repeated=repeated), 0 if repeated else expected_loss_percent(0.0))
        self._redundancy = redundancy

    def adapt(self, mean_loss: float, report: float | None = None) -> int:
        """Adapt to the far end's mean loss, and to its new report of it, from the next packet on.

        Returns the encoder's bit rate. Where packets are sent again the encoder adds no redundancy of its own.
        """
        redundancy = self._redundancy
        if redundancy is None:
            self._wanted = (audio_bitrate_bps(mean_loss), expected_loss_percent(mean_loss))
            return self._wanted[0]
        if report is not None:
            redundancy.reported(report, mean_loss)
        self._wanted = (audio_bitrate_bps(mean_loss, repeated=True), 0)
        return self._wanted[0]
