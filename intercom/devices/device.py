"""A device as it is told from every other: by what it is, and by where it is plugged in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Kind = Literal["usb", "onboard", "hdmi", "virtual", "ribbon"]
"""How a device is attached; for sound also what may be expected of it."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound card or a camera. Numbers that change from boot to boot are in no field that identity looks at."""

    name: str
    """How it is opened now: the card's ALSA id, or the camera's device file. May change with every plug."""
    label: str
    """What it is called: the product's name."""
    kind: Kind
    """How it is attached."""
    port: str
    """Where it is plugged in: the path of the socket, which stays when the device changes. "" where there is none."""
    vendor: str = ""
    """USB vendor, four hexadecimal digits."""
    product: str = ""
    """USB product, four hexadecimal digits."""
    serial: str = ""
    """USB serial number; "" for a device that has none, as twins often do."""
    captures: int | None = None
    """The number of the device of the card that records (0 on almost every card); None if none does."""
    plays: int | None = None
    """The number of the device of the card that plays; None if none does."""
    id_path: str = ""
    """What udev calls the port; "" without udev."""
    plug: int = 0
    """Differs each time that it is plugged in, as long as the machine runs."""

    @property
    def _make(self) -> tuple[str, ...]:
        return (self.kind, self.vendor, self.product, self.serial)

    @property
    def is_duplex(self) -> bool:
        """Whether it both records and plays."""
        return self.captures is not None and self.plays is not None

    def pcm(self, direction: Literal["capture", "playback"]) -> str | None:
        """The PCM that converts rate and channels; None where the card cannot do that."""
        number = self.captures if direction == "capture" else self.plays
        return None if number is None else f"plughw:CARD={self.name},DEV={number}"

    def is_exactly(self, other: Device) -> bool:
        """Whether it is the same piece: by its serial number, or, without one, by its make in the same socket."""
        if self._make != other._make:
            return False
        return bool(self.serial) or (self.port == other.port and self.is_like(other))

    def is_like(self, other: Device) -> bool:
        """Whether nothing but their sockets can tell the two apart."""
        return self._make == other._make and self.label == other.label

    def is_twin_of(self, other: Device) -> bool:
        """Whether nothing but their sockets tells the two apart, and these do."""
        return self.is_like(other) and self.port != other.port


@dataclass(frozen=True, slots=True)
class Match:
    """What was found of a device that was known before."""

    device: Device | None
    """The one that it is, as far as can be told; None if there is none."""
    ambiguous: bool = False
    """Whether others fit as well: this is a guess."""
    is_another: bool = False
    """Whether it is another piece of the same product: their serial numbers differ, or both were there at once."""


def find(wanted: Device, among: Sequence[Device], twin_ports: Sequence[str] = ()) -> Match:
    """The device again: the exact piece, else the same product in the same socket, else the only one so called.

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
