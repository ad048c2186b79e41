"""The identity of a device: its make and serial number, and the socket that it is plugged into."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec

Kind = Literal["usb", "onboard", "hdmi", "virtual", "ribbon"]
"""Kind of connection; for a sound card also a hint of its quality."""


class Device(msgspec.Struct, frozen=True):
    """A sound card or a camera; its identity uses no number that changes from boot to boot."""

    name: str
    """Name to open it by now: the card's ALSA id, or the camera's device file. It may change with every plug."""
    label: str
    """Product name."""
    kind: Kind
    """Kind of connection."""
    port: str
    """Path of the socket, which stays when the device changes; "" where there is none."""
    vendor: str = ""
    """USB vendor, four hexadecimal digits."""
    product: str = ""
    """USB product, four hexadecimal digits."""
    serial: str = ""
    """USB serial number; "" for a device that has none, as twins often do."""
    captures: int | None = None
    """Number of the card's device that records (0 on almost every card); None if none does."""
    plays: int | None = None
    """Number of the card's device that plays; None if none does."""
    id_path: str = ""
    """The port's name in udev; "" without udev."""
    plug: int = 0
    """Number that differs each time the device is plugged in, as long as the machine runs."""

    @property
    def _make(self) -> tuple[str, ...]:
        return (self.kind, self.vendor, self.product, self.serial)

    @property
    def is_duplex(self) -> bool:
        """Whether the card both records and plays."""
        return self.captures is not None and self.plays is not None

    def pcm(self, direction: Literal["capture", "playback"]) -> str | None:
        """Return the ALSA name of the PCM that converts rate and channels; None where the card lacks this direction."""
        number = self.captures if direction == "capture" else self.plays
        return None if number is None else f"plughw:CARD={self.name},DEV={number}"

    def is_exactly(self, other: Device) -> bool:
        """Whether this is the same device: by its serial number, or, without one, by its make in the same socket."""
        if self._make != other._make:
            return False
        return bool(self.serial) or (self.port == other.port and self.is_like(other))

    def is_like(self, other: Device) -> bool:
        """Whether only their sockets can distinguish the two."""
        return self._make == other._make and self.label == other.label

    def is_twin_of(self, other: Device) -> bool:
        """Whether only their sockets distinguish the two, and they differ."""
        return self.is_like(other) and self.port != other.port


class Match(msgspec.Struct, frozen=True):
    """The result of looking for a known device."""

    device: Device | None
    """The best match; None if there is none."""
    ambiguous: bool = False
    """Whether other devices match as well, so that the match is a guess."""
    is_another: bool = False
    """Whether it is another device of the same product: their serial numbers differ, or both were present at once."""


def find(wanted: Device, among: Sequence[Device], twin_ports: Sequence[str] = ()) -> Match:
    """Find the device again: the exact one, else the same product in the same socket, else the only one of that name.

    In `twin_ports` its twins were seen beside it: what is there now is another piece, though it looks the same.
    """

    def is_another(device: Device) -> bool:
        if device.is_twin_of(wanted):
            return device.port in twin_ports
        return bool(wanted.serial and device.serial) and not device.is_exactly(wanted)

    exact = [device for device in among if device.is_exactly(wanted)]
    if len(exact) > 1:  # makers who give every piece the same serial number
        exact = [device for device in exact if device.port == wanted.port] or exact
    named = [device for device in among if device.label == wanted.label and device.kind == wanted.kind]
    in_place = [device for device in named if device.port == wanted.port]
    for fitting in (exact, in_place, named):
        if fitting:
            own = [device for device in fitting if not is_another(device)] or fitting
            device = min(own, key=lambda device: (device.port, device.name))
            return Match(device, len(own) > 1, is_another(device))
    return Match(None)
