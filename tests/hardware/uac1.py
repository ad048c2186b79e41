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
_SPEAKER_IN, SPEAKER_FEATURE, _SPEAKER_OUT, _MICROPHONE_IN, MICROPHONE_FEATURE, _MICROPHONE_OUT = 1, 2, 3, 4, 5, 6
"""The terminals and units, by the numbers that the descriptors give them."""
_MUTE, _VOLUME, _AUTOMATIC_GAIN = 1, 2, 7
_SET_CUR, _GET_CUR, _GET_MIN, _GET_MAX, _GET_RES = 0x01, 0x81, 0x82, 0x83, 0x84


@dataclass
class Feature:
    """What one feature unit of the headset is set to: the controls that ALSA shows as the card's mixer."""

    lowest_db: int
    highest_db: int
    controls: int
    """Which there are, as bits: 0 mute, 1 volume, 6 automatic gain (bmaControls)."""
    muted: bool = False
    volume_db: int = 0
    automatic_gain: bool = False

    def control(self, request: int, selector: int, data: bytes) -> tuple[int, bytes]:
        """Answer a class request to this unit (USB Audio Class 1.0, section 5.2.2.4): the status and the data."""
        if not self.controls & 1 << (selector - 1):
            return STALL, b""
        if request == _SET_CUR:
            self._set(selector, data)
            return 0, b""
        if selector == _VOLUME and request in (_GET_CUR, _GET_MIN, _GET_MAX, _GET_RES):
            there = {_GET_CUR: self.volume_db, _GET_MIN: self.lowest_db, _GET_MAX: self.highest_db, _GET_RES: 1}
            return 0, struct.pack("<h", round(there[request] * 256))
        if request == _GET_CUR:
            return 0, bytes([self.muted if selector == _MUTE else self.automatic_gain])
        return STALL, b""

    @property
    def ratio(self) -> float:
        """What becomes of a sample."""
        return 0.0 if self.muted else float(10 ** (self.volume_db / 20))

    def _set(self, selector: int, data: bytes) -> None:
        if selector == _MUTE:
            self.muted = bool(data[0])
        elif selector == _VOLUME:
            (volume,) = struct.unpack("<h", data[:2])
            self.volume_db = round(volume / 256)
        elif selector == _AUTOMATIC_GAIN:
            self.automatic_gain = bool(data[0])


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
    automatic_gain: bool = False
    """Whether its microphone has an automatic gain, which is on when it is plugged in."""

    def features(self) -> dict[int, Feature]:
        """Its feature units, as they are when it is plugged in, by number."""
        microphone = Feature(-12, 20, 0x43 if self.automatic_gain else 0x03, automatic_gain=self.automatic_gain)
        return {SPEAKER_FEATURE: Feature(-32, 0, 0x03), MICROPHONE_FEATURE: microphone}

    @property
    def packet_samples(self) -> int:
        """Samples in one packet, which is one millisecond."""
        return self.rate_hz // 1000

    def control(self, setup: bytes, data: bytes, features: dict[int, Feature]) -> tuple[int, bytes]:
        """Answer a control request (its 8 setup bytes, and what it sends): the status, 0 or `STALL`, and the data."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        match kind, request:
            case 0x80, 6:
                return self._descriptor(value >> 8, value & 0xFF, length)
            case 0x80, 0:
                return 0, b"\0\0"  # GET_STATUS: bus powered, no remote wake-up
            case ((0x21 | 0xA1), _) if index >> 8 in features:
                return features[index >> 8].control(request, value >> 8, data)
            case ((0x00 | 0x01 | 0x21 | 0x22), _):
                return 0, b""  # everything that is set is taken
            case 0xA2, _:
                return 0, struct.pack("<I", self.rate_hz)[:3]
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
        features = self.features()
        units = b"".join(
            (
                _input(_SPEAKER_IN, _USB_STREAMING),
                _feature(SPEAKER_FEATURE, _SPEAKER_IN, features[SPEAKER_FEATURE]),
                _output(_SPEAKER_OUT, _SPEAKER, SPEAKER_FEATURE),
                _input(_MICROPHONE_IN, _MICROPHONE),
                _feature(MICROPHONE_FEATURE, _MICROPHONE_IN, features[MICROPHONE_FEATURE]),
                _output(_MICROPHONE_OUT, _USB_STREAMING, MICROPHONE_FEATURE),
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


def _feature(number: int, source: int, feature: Feature) -> bytes:
    """Its controls on the whole, none per channel."""
    return struct.pack("BBBBBBBBB", 9, 0x24, 6, number, source, 1, feature.controls, 0, 0)
