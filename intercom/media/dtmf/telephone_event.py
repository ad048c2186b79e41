"""DTMF in RTP: reads and writes telephone events (RFC 4733)."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Iterator

DIGITS = "0123456789*#ABCD"
"""Digits of the event codes 0 to 15 (RFC 4733 table 3)."""
MIME_TYPE = "audio/telephone-event"
END_BIT = 0x80
VOLUME_DB = 10
"""Level of a sent key in dB below 0 dBm0, as telephones send it."""
REMEMBERED = 8
"""Limit of remembered keys, to recognise a late packet: nobody types more while one packet is delayed."""
END_REPEATS = 3
"""Number of times that the last packet is sent, because it must not be lost (section 2.5.1.4)."""


class DigitReader:
    """Reads digits from one stream's packets: each event once, even if packets are repeated, delayed or lost."""

    def __init__(self) -> None:
        self._begun: deque[int] = deque(maxlen=REMEMBERED)

    def read(self, timestamp: int, payload: bytes) -> str | None:
        """Return the digit that this packet begins; None when it continues one, or is no digit.

        Every packet of an event has the timestamp of its beginning (section 2.3.5.1): the first that arrives counts.
        """
        if len(payload) < 4:
            return None
        event = payload[0]
        if event >= len(DIGITS) or timestamp in self._begun:
            return None
        self._begun.append(timestamp)
        return DIGITS[event]


def payloads(digit: str, *, duration_ms: int, step_ms: int, clock_hz: int) -> Iterator[bytes]:
    """Return a digit's payloads, one for every `step_ms`, then three for its end; ValueError for anything else."""
    event = DIGITS.index(digit.upper())
    for elapsed_ms in range(step_ms, duration_ms, step_ms):
        yield struct.pack("!BBH", event, VOLUME_DB, elapsed_ms * clock_hz // 1000)
    last = struct.pack("!BBH", event, END_BIT | VOLUME_DB, min(0xFFFF, duration_ms * clock_hz // 1000))
    for _ in range(END_REPEATS):
        yield last
