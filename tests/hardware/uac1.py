"""A USB Audio Class 1 headset as its descriptors and its answers to control requests; no input or output.

Sources: USB 1.1 chapter 9 (standard requests and descriptors), USB Audio Device Class 1.0 (chapter 4 descriptors,
chapter 5 requests), Audio Data Formats 1.0. Speaker and microphone are 16-bit mono, one packet a millisecond.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

SPEAKER_ENDPOINT = 1
MICROPHONE_ENDPOINT = 2
STALL = -32
"""USB's "I do not know that request", as the status (EPIPE) that Linux gives it."""

_USB_STREAMING, _SPEAKER, _MICROPHONE = 0x0101, 0x0301, 0x0201
_SPEAKER_IN, _SPEAKER_VOLUME, _SPEAKER_OUT, _MICROPHONE_IN, _MICROPHONE_OUT = 1, 2, 3, 4, 5
_VOLUME_DB_256 = {0x81: 0, 0x82: -0x2000, 0x83: 0, 0x84: 0x100}
"""GET_CUR, GET_MIN, GET_MAX and GET_RES of the volume, in 1/256 dB: from 32 dB below to 0 dB in steps of 1 dB."""


@dataclass(frozen=True)
class UsbHeadset:
    """What tells one headset from another."""

    name: str = "Bench Headset"
    """The product string; ALSA derives the card's id from its last word."""
    vendor_id: int = 0x0D8C
    product_id: int = 0x0014
    serial: str = "0001"
    """The serial number; "" for a device that has none, as twins often do."""
    rate_hz: int = 48_000

    @property
    def packet_samples(self) -> int:
        """Samples in one packet, which is one millisecond."""
        return self.rate_hz // 1000

    def control(self, setup: bytes) -> tuple[int, bytes]:
        """Answer a control request (its 8 setup bytes): the status, 0 or `STALL`, and the data to return."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        match kind, request:
            case 0x80, 6:
                return self._descriptor(value >> 8, value & 0xFF, length)
            case 0x80, 0:
                return 0, b"\0\0"  # GET_STATUS: bus powered, no remote wake-up
            case ((0x00 | 0x01 | 0x21 | 0x22), _):
                return 0, b""  # everything that is set is taken
            case 0xA2, _:
                return 0, struct.pack("<I", self.rate_hz)[:3]
            case 0xA1, _ if index >> 8 == _SPEAKER_VOLUME and value >> 8 == 1:
                return 0, b"\0"  # not muted
            case 0xA1, _ if index >> 8 == _SPEAKER_VOLUME and value >> 8 == 2 and request in _VOLUME_DB_256:
                return 0, struct.pack("<h", _VOLUME_DB_256[request])
            case _:
                return STALL, b""

    def _descriptor(self, kind: int, number: int, length: int) -> tuple[int, bytes]:
        match kind:
            case 1:
                found = self._device()
            case 2:
                found = self._configuration()
            case 3 if number == 0:
                found = b"\x04\x03\x09\x04"  # the one language: English
            case 3 if number <= 3:
                text = ("", "Intercom Bench", self.name, self.serial)[number].encode("utf-16le")
                found = struct.pack("BB", 2 + len(text), 3) + text
            case _:
                return STALL, b""
        return 0, found[:length]

    def _device(self) -> bytes:
        serial = 3 if self.serial else 0
        ids = (self.vendor_id, self.product_id, 0x0100)
        return struct.pack("<BBHBBBBHHHBBBB", 18, 1, 0x0110, 0, 0, 0, 64, *ids, 1, 2, serial, 1)

    def _configuration(self) -> bytes:
        units = b"".join(
            (
                _input(_SPEAKER_IN, _USB_STREAMING),
                # Feature unit: mute and volume on the whole, nothing per channel.
                struct.pack("BBBBBBBBB", 9, 0x24, 6, _SPEAKER_VOLUME, _SPEAKER_IN, 1, 0x03, 0, 0),
                _output(_SPEAKER_OUT, _SPEAKER, _SPEAKER_VOLUME),
                _input(_MICROPHONE_IN, _MICROPHONE),
                _output(_MICROPHONE_OUT, _USB_STREAMING, _MICROPHONE_IN),
            )
        )
        header = struct.pack("<BBBHHBBB", 10, 0x24, 1, 0x0100, 10 + len(units), 2, 1, 2)
        body = b"".join(
            (
                _interface(0, 0, 0, subclass=1),
                header,
                units,
                self._stream(1, _SPEAKER_IN, SPEAKER_ENDPOINT, 0x09),  # isochronous, adaptive
                self._stream(2, _MICROPHONE_OUT, MICROPHONE_ENDPOINT | 0x80, 0x05),  # isochronous, asynchronous
            )
        )
        return struct.pack("<BBHBBBBB", 9, 2, 9 + len(body), 3, 1, 0, 0x80, 50) + body

    def _stream(self, number: int, terminal: int, endpoint: int, attributes: int) -> bytes:
        rate = struct.pack("<I", self.rate_hz)[:3]
        largest = self.packet_samples * 2 + 8
        return b"".join(
            (
                _interface(number, 0, 0, subclass=2),
                _interface(number, 1, 1, subclass=2),
                struct.pack("<BBBBBH", 7, 0x24, 1, terminal, 1, 1),  # 16-bit PCM
                struct.pack("BBBBBBBB", 11, 0x24, 2, 1, 1, 2, 16, 1) + rate,
                struct.pack("<BBBBHBBB", 9, 5, endpoint, attributes, largest, 1, 0, 0),
                struct.pack("<BBBBBH", 7, 0x25, 1, 0, 0, 0),
            )
        )


def _interface(number: int, alternate: int, endpoints: int, *, subclass: int) -> bytes:
    return struct.pack("BBBBBBBBB", 9, 4, number, alternate, endpoints, 1, subclass, 0, 0)


def _input(number: int, kind: int) -> bytes:
    return struct.pack("<BBBBHBBHBB", 12, 0x24, 2, number, kind, 0, 1, 0, 0, 0)


def _output(number: int, kind: int, source: int) -> bytes:
    return struct.pack("<BBBBHBBB", 9, 0x24, 3, number, kind, 0, source, 0)
