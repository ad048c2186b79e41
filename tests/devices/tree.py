"""The kernel's files as they are on a machine with these devices, in a folder of their own."""

from __future__ import annotations

from pathlib import Path


class Tree:
    """Plug devices in and out of a made-up machine; ports are as the kernel names USB devices (`1-1.2`)."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.names: dict[str, str] = {}
        self._cards: dict[int, str] = {}
        self._hub = root / "sys/devices/platform/soc/fe980000.usb/usb1/1-1"
        self._gone = root / "gone"
        (root / "sys/class/sound").mkdir(parents=True)
        (root / "sys/class/video4linux").mkdir()
        self._write()

    def usb_card(
        self,
        number: int,
        port: str,
        *,
        name: str = "Device",
        product: str = "USB Phone",
        serial: str = "",
        does: str = "cp",
    ) -> None:
        place = self._usb(port, product, serial) / f"{port}:1.0" / "sound" / f"card{number}"
        self._card(number, place, f"[{name:<15}]: USB-Audio - {product}", does)
        (place / "device").symlink_to("../..")

    def other_card(self, number: int, name: str, driver: str, *, does: str = "p") -> None:
        place = self.root / f"sys/devices/platform/{name}/sound/card{number}"
        self._card(number, place, f"[{name:<15}]: {driver} - {name}", does)
        (place / "device").symlink_to("../..")

    def camera(self, number: int, port: str, *, product: str = "Webcam", serial: str = "") -> None:
        place = self._usb(port, product, serial) / f"{port}:1.0" / "video4linux" / f"video{number}"
        place.mkdir(parents=True)
        (place / "device").symlink_to("../..")
        (place / "dev").write_text(f"81:{number}\n")
        (self.root / f"sys/class/video4linux/video{number}").symlink_to(place)
        self.names[f"/dev/video{number}"] = product

    def sensor(self, number: int, name: str, place: str) -> None:
        """An image sensor on a media device below this place in the tree of devices."""
        media = self.root / f"sys/devices/platform/soc/{place}/media{number}"
        media.mkdir(parents=True)
        devices = self.root / "sys/bus/media/devices"
        devices.mkdir(parents=True, exist_ok=True)
        (devices / media.name).symlink_to(media)
        self.names[f"/dev/{media.name}"] = name

    def udev_knows(self, number: int, id_path: str) -> None:
        data = self.root / "run/udev/data"
        data.mkdir(parents=True, exist_ok=True)
        (data / f"+sound:card{number}").write_text(f"I:1\nE:ID_PATH={id_path}\nE:ID_BUS=usb\n")

    def unplug(self, what: str) -> None:
        """`card1` or `video0`. It is kept aside: a real kernel does not give its inode to the next one."""
        link = self.root / "sys/class" / ("sound" if what.startswith("card") else "video4linux") / what
        self._gone.mkdir(exist_ok=True)
        link.resolve().rename(self._gone / str(len(list(self._gone.iterdir()))))
        link.unlink()
        self._cards.pop(int(what[4:]), None) if what.startswith("card") else self.names.pop(f"/dev/{what}")
        self._write()

    def _usb(self, port: str, product: str, serial: str) -> Path:
        place = self._hub / port
        place.mkdir(parents=True, exist_ok=True)
        texts = {"idVendor": "0d8c", "idProduct": "0014", "product": product, "serial": serial}
        for file, text in texts.items():
            if text:
                (place / file).write_text(f"{text}\n")
        return place

    def _card(self, number: int, place: Path, line: str, does: str) -> None:
        place.mkdir(parents=True)
        for direction in does:
            (place / f"pcmC{number}D0{direction}").mkdir()
        (self.root / f"sys/class/sound/card{number}").symlink_to(place)
        self._cards[number] = line
        self._write()

    def _write(self) -> None:
        (self.root / "proc/asound").mkdir(parents=True, exist_ok=True)
        lines = [
            f"{number:2d} {line}\n                      more of it\n" for number, line in sorted(self._cards.items())
        ]
        (self.root / "proc/asound/cards").write_text("".join(lines) or "--- no soundcards ---\n")
