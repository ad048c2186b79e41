"""Lists the plugged-in devices from the kernel's own files; it opens no device, so it disturbs none.

Sources: /proc/asound/cards, /sys/class/sound, /sys/class/video4linux, /sys/bus/media, and udev's database where udev
runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from intercom.devices.device import Device, Kind

_LINE: Final = re.compile(r" *(\d+) \[(\S+) *\]: (\S+) - (.*)")
"""Pattern of a card's line in /proc/asound/cards: `" 1 [Headset        ]: USB-Audio - Bench Headset"`"""
_PCM: Final = re.compile(r"pcmC\d+D(\d+)([cp])")
_USB_DEVICE: Final = re.compile(r"\d+-([\d.]+)")
"""Pattern of a USB path, `1-1.2`: bus 1, port 1 of its root, port 2 of the hub there. The bus number may change at a
boot."""
_VIRTUAL_DRIVERS: Final = frozenset({"Loopback", "Dummy", "VirMIDI"})
_HDMI: Final = ("hdmi", "displayport")


def _no_camera(_: str) -> str | None:
    return None


class Finder:
    """Lists sound cards and cameras.

    `camera_name` says what a video device file is called, and `sensor_name` the image sensor of a media device; None if
    it is no camera.
    """

    def __init__(
        self,
        camera_name: Callable[[str], str | None] = _no_camera,
        sensor_name: Callable[[str], str | None] = _no_camera,
        *,
        root: Path = Path("/"),
    ) -> None:
        self._camera_name = camera_name
        self._sensor_name = sensor_name
        self._proc = root / "proc"
        self._sys = root / "sys"
        self._udev = root / "run/udev/data"
        self._read: dict[str, tuple[object, Device]] = {}
        """The card of each number, with what changes when it is another one: to read one takes longer than all else."""

    def signature(self) -> tuple[str, ...]:
        """Return a value that changes when something is plugged in or out; costs some 50 µs."""
        folders = ("class/sound", "class/video4linux", "bus/media/devices")
        nodes = (node for folder in folders for node in _entries(self._sys / folder))
        return tuple(sorted(f"{node.name} {_link(node)}" for node in nodes))

    def sound_cards(self) -> list[Device]:
        """Return the sound cards in the order of their numbers."""
        matches = map(_LINE.fullmatch, _text(self._proc / "asound/cards").splitlines())
        cards = [self._card(match[1], match[2], match[3], match[4].strip()) for match in matches if match]
        return [card for card in cards if card is not None]

    def cameras(self) -> list[Device]:
        """Return the V4L2 cameras, by their device files, and those on ribbon cables, by their media devices."""
        found = self._ribbon_cameras()
        for node in sorted(_entries(self._sys / "class/video4linux"), key=lambda node: (len(node.name), node.name)):
            file = f"/dev/{node.name}"
            label = self._camera_name(file) if node.name.startswith("video") else None
            if label is not None:
                number = _text(node / "dev").strip()
                camera = self._attached(Device(file, label, "onboard", ""), node)
                if camera is not None:
                    found.append(msgspec.structs.replace(camera, id_path=self._id_path(f"c{number}")))
        return found

    def _ribbon_cameras(self) -> list[Device]:
        found = []
        for node in sorted(_entries(self._sys / "bus/media/devices"), key=lambda node: (len(node.name), node.name)):
            file = f"/dev/{node.name}"
            place = self._path(node.resolve().parent)
            if "/usb" not in place and (label := self._sensor_name(file)) is not None and node.exists():
                found.append(Device(file, label, "ribbon", place, plug=node.stat().st_ino))
        return found

    def _card(self, number: str, name: str, driver: str, title: str) -> Device | None:
        node = self._sys / f"class/sound/card{number}"
        try:
            found = (node.stat().st_ino, name, driver, title, sorted(entry.name for entry in os.scandir(node)))
        except OSError:
            return None
        before, card = self._read.get(number, (None, None))
        if before != found or card is None:
            card = self._new_card(node, name, driver, title)
            if card is None:
                return None
            self._read[number] = found, card
        # udev writes it later, and the number's last card is told of until then.
        return msgspec.structs.replace(card, id_path=self._id_path(f"+sound:card{number}"))

    def _new_card(self, node: Path, name: str, driver: str, title: str) -> Device | None:
        kind: Kind = "virtual" if driver in _VIRTUAL_DRIVERS else "onboard"
        if any(word in f"{driver} {name} {title}".lower() for word in _HDMI):
            kind = "hdmi"
        pcms = [match for entry in _entries(node) if (match := _PCM.fullmatch(entry.name))]
        captures = [int(match[1]) for match in pcms if match[2] == "c"]
        plays = [int(match[1]) for match in pcms if match[2] == "p"]
        card = Device(name, title, kind, "", captures=min(captures, default=None), plays=min(plays, default=None))
        return self._attached(card, node)

    def _attached(self, device: Device, node: Path) -> Device | None:
        """Return the device with the facts from its place in the device tree; None if it disappears meanwhile."""
        try:
            plug = node.stat().st_ino
        except OSError:
            return None
        try:
            place = (node / "device").resolve(strict=True)
        except OSError:  # some virtual ones hang on nothing
            return msgspec.structs.replace(device, plug=plug)
        usb = next((above for above in (place, *place.parents) if (above / "idVendor").is_file()), None)
        if usb is None:
            return msgspec.structs.replace(device, port=self._path(place), plug=plug)
        device = msgspec.structs.replace(
            device,
            label=_text(usb / "product").strip() or device.label,
            kind="usb",
            port=self._usb_port(usb),
            vendor=_text(usb / "idVendor").strip(),
            product=_text(usb / "idProduct").strip(),
            serial=_text(usb / "serial").strip(),
            plug=plug,
        )
        return device if node.exists() else None

    def _id_path(self, udev_name: str) -> str:
        properties = _text(self._udev / udev_name)
        return next((line[10:] for line in properties.splitlines() if line.startswith("E:ID_PATH=")), "")

    def _usb_port(self, usb: Path) -> str:
        socket = _USB_DEVICE.fullmatch(usb.name)
        root = next((above for above in usb.parents if re.fullmatch(r"usb\d+", above.name)), usb)
        return f"{self._path(root.parent)}/usb-{socket[1] if socket else usb.name}"

    def _path(self, place: Path) -> str:
        devices = (self._sys / "devices").resolve()
        return str(place.relative_to(devices)) if place.is_relative_to(devices) else str(place)


def _entries(folder: Path) -> Iterator[Path]:
    try:
        yield from folder.iterdir()
    except OSError:  # a class comes with its first driver
        return


def _link(node: Path) -> str:
    try:
        return str(node.readlink())
    except OSError:
        return ""


def _text(file: Path) -> str:
    try:
        return file.read_text(errors="replace")
    except OSError:
        return ""
