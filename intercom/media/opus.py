"""Opus for one voice: mono, with in-band redundancy, concealment and recovery (RFC 6716, RFC 7587)."""

from __future__ import annotations

import numpy as np
import opuslib_next
from opuslib_next import exceptions

from intercom.media.errors import CodecError
from intercom.media.sound import RATE_HZ, Samples

FRAME_SAMPLES = RATE_HZ * 20 // 1000
BITRATE_BPS = 32_000
"""Full-band mono speech is transparent from here on."""
COMPLEXITY = 5
"""Of 10. Above this the ear gains nothing at 32 kbit/s, and a small Pi has nothing to spare."""
ASSUMED_LOSS_PERCENT = 2
"""Until the far end reports: redundancy is only sent when loss is expected."""
LONGEST_SAMPLES = RATE_HZ * 120 // 1000
"""An Opus packet holds at most 120 ms (RFC 6716 section 3.2.5)."""
CONCEAL_STEP = RATE_HZ * 25 // 10_000
"""libopus conceals in multiples of 2.5 ms."""
_FRAME_SIZES_10_US = (*(1000, 2000, 4000, 6000) * 3, *(1000, 2000) * 2, *(250, 500, 1000, 2000) * 4)
"""By TOC configuration number (RFC 6716 table 2)."""


class OpusEncoder:
    """The door's voice into Opus packets of 20 ms."""

    clock_hz = RATE_HZ

    def __init__(self, *, bitrate_bps: int = BITRATE_BPS, dtx: bool = False) -> None:
        self._encoder = opuslib_next.Encoder(RATE_HZ, 1, "voip")
        self._encoder.complexity = COMPLEXITY
        self._encoder.inband_fec = 1
        self._encoder.dtx = int(dtx)
        self._bitrate_bps = self._loss_percent = -1
        self.adapt(bitrate_bps=bitrate_bps, loss_percent=ASSUMED_LOSS_PERCENT)

    def adapt(self, *, bitrate_bps: int, loss_percent: int) -> None:
        """Follow the network: bits a second, and how much redundancy the loss calls for."""
        if bitrate_bps != self._bitrate_bps:
            self._bitrate_bps = bitrate_bps
            self._encoder.bitrate = bitrate_bps
        if loss_percent != self._loss_percent:
            self._loss_percent = loss_percent
            self._encoder.packet_loss_perc = loss_percent

    def encode(self, frame: Samples) -> bytes:
        """The packet of 960 samples."""
        return bytes(self._encoder.encode(frame.tobytes(), len(frame)))


class OpusDecoder:
    """Opus packets of any length into mono sound."""

    clock_hz = RATE_HZ

    def __init__(self) -> None:
        self._decoder = opuslib_next.Decoder(RATE_HZ, 1)

    def length(self, payload: bytes) -> int:
        """Samples in the packet, by its first two bytes (RFC 6716 section 3.1)."""
        if not payload:
            raise CodecError("an empty Opus packet")
        frame = _FRAME_SIZES_10_US[payload[0] >> 3] * RATE_HZ // 100_000
        code = payload[0] & 3
        if code < 3:
            count = 1 if code == 0 else 2
        elif len(payload) < 2:
            raise CodecError("an Opus packet that ends before its frame count")
        else:
            count = payload[1] & 63
        if not 0 < count * frame <= LONGEST_SAMPLES:
            raise CodecError(f"an Opus packet of {count} frames of {frame} samples")
        return count * frame

    def decode(self, payload: bytes) -> Samples:
        """Its sound; CodecError when libopus refuses it."""
        try:
            return _samples(self._decoder.decode(payload, self.length(payload)))
        except exceptions.OpusError as error:
            raise CodecError(f"not an Opus packet: {error}") from error

    def conceal(self, samples: int) -> Samples:
        """Go on from what sounded last; libopus fades it out by itself."""
        rounded = -(-samples // CONCEAL_STEP) * CONCEAL_STEP
        return _samples(self._decoder.decode(b"", rounded))[:samples]

    def recover(self, following: bytes, samples: int) -> Samples:
        """The end of the lost frame, from the redundancy in the packet after it; concealed where it has none."""
        try:
            frame = _samples(self._decoder.decode(following, self.length(following), decode_fec=True))
        except exceptions.OpusError:
            return self.conceal(samples)
        return frame[-samples:] if samples <= len(frame) else self.conceal(samples)


def _samples(data: bytes) -> Samples:
    return np.frombuffer(data, np.int16)
