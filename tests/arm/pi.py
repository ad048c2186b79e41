"""The second ARM machine: QEMU's Raspberry Pi 3, with Debian's kernel and drivers for that board.

Its GPIO controller is the board's own, seen from two sides: by the kernel's driver, and from outside by the
controller's registers, as a multimeter at the header would. QEMU 7.2's has no input lines and no interrupts: a finger
is what `Pi.pull` writes there, and no edge is told.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
from base64 import b64decode, b64encode
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType

from tests.hardware.guest import RUN_LIMIT_S, Guest

from . import bare
from .debian import require, run, unpacked
from .initrd import initrd
from .libraries import checkout, libraries

BOOT_LIMIT_S = 900.0
"""20 s on an idle machine."""
MODULES = (
    *("bcm2835_rng", "phy_generic", "dwc2", "usb_storage", "sd_mod", "bcm2835", "crc32c_generic", "ext4", "dummy"),
    "snd_aloop",
)
"""What reaches the random numbers, the USB port and the SD card of the board, and what stands for a sound card."""
FIRST = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
for disk in mmcblk0 sda sdb; do until [ -b /dev/$disk ]; do /bin/busybox sleep 1; done; done
/bin/busybox mount -t ext4 /dev/mmcblk0 /root
/bin/busybox mount -t devtmpfs dev /root/dev
/bin/busybox mount -t ext4 /dev/sda /root/opt/bench
/bin/busybox mount -t ext4 /dev/sdb /root/checkout
exec /bin/busybox switch_root /root {init}
"""
"""The system is on the SD card, the libraries and the checkout are on USB sticks."""
INIT = "/bin/bash /checkout/tests/arm/pi-init"
TREE = "usr/lib/linux-image-*/broadcom/bcm2837-rpi-3-b.dtb"
REVISION = "a02082"
"""A Pi 3 Model B: the firmware writes it into the device tree, and QEMU has no firmware."""
BLUETOOTH = "/soc/serial@7e201000/bluetooth"
"""It has the first serial port, which is the line to the host here."""
GPIO = 0x3F200000
SELECT, SET, CLEAR, LEVEL = GPIO, GPIO + 0x1C, GPIO + 0x28, GPIO + 0x34
"""Registers of the controller (BCM2835 ARM Peripherals, chapter 6): the first of each kind."""
OUTPUT = 1
ANSWER_S = 60.0


class Pi(Guest):
    """One running Pi; a context manager that boots it, and takes its power away."""

    def __init__(self) -> None:
        super().__init__(boot_limit_s=BOOT_LIMIT_S)
        self._folder = TemporaryDirectory(prefix="intercom-pi-")
        self._system = bare.system()

    def __enter__(self) -> Pi:
        super().__enter__()
        self._probe = socket.socket(socket.AF_UNIX)
        self._probe.settimeout(ANSWER_S)
        self._probe.connect(self._socket)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut_power()  # what it wrote is thrown away
        super().__exit__(kind, error, trace)
        self._folder.cleanup()

    def start(self, script: str, *, limit_s: float = RUN_LIMIT_S) -> str:
        """Start a shell script and return its name; there are no shared files, so it goes over the line."""
        name = super().start(script, limit_s=limit_s)
        self._line.sendall(b64encode((self.shared / f"{name}.sh").read_bytes()) + b"\n")
        return name

    def level(self, gpio: int) -> bool:
        """Whether a pin of the header is high."""
        return bool(self._ask(f"readl {LEVEL:#x}") >> gpio & 1)

    def is_driven(self, gpio: int) -> bool:
        """Whether a pin is an output."""
        return self._ask(f"readl {SELECT + gpio // 10 * 4:#x}") >> gpio % 10 * 3 & 7 == OUTPUT

    def pull(self, gpio: int, *, high: bool) -> None:
        """Give an input pin this level."""
        self._ask(f"writel {SET if high else CLEAR:#x} {1 << gpio:#x}")

    def drive(self, gpio: int, *, high: bool) -> None:
        """Make a pin an output of this level, as a program that held it may have left it."""
        select = SELECT + gpio // 10 * 4
        others = self._ask(f"readl {select:#x}") & ~(7 << gpio % 10 * 3)
        self._ask(f"writel {select:#x} {others | OUTPUT << gpio % 10 * 3:#x}")
        self.pull(gpio, high=high)

    def _ask(self, what: str) -> int:
        """Let QEMU read or write a register, and return what it read."""
        self._probe.sendall(f"{what}\n".encode())
        said = b""
        while not said.endswith(b"\n"):
            said += self._probe.recv(4096)
        ok, *value = said.decode().split()
        assert ok == "OK", said
        return int(value[0], 16) if value else 0

    def _heard(self, line: str) -> None:
        name, _, output = line.partition(" = ")
        if output:
            (self.shared / f"{name}.out").write_bytes(b64decode(output))
        super()._heard(line)

    def _kernel(self) -> Path:
        return self._system.kernel

    def _placed(self) -> list[str]:
        return ["setpriv", "--pdeathsig", "KILL"]

    @property
    def _socket(self) -> str:
        return str(Path(self._folder.name, "probe"))

    def _command(self, kernel: Path, line: int) -> list[str]:
        folder = Path(self._folder.name)
        require(("fdtput", "device-tree-compiler"))
        debian = unpacked(*bare.PACKAGES)
        (source,) = debian.glob(TREE)
        tree = shutil.copy(source, folder / "tree.dtb")
        run("fdtput", "-p", "-t", "x", str(tree), "/system", "linux,revision", REVISION)
        run("fdtput", "-r", str(tree), BLUETOOTH)
        (folder / "initrd").write_bytes(initrd(debian, MODULES, INIT, first=FIRST))
        sticks = [libraries(), checkout(folder)]
        return [
            *("qemu-system-aarch64", "-M", "raspi3b", "-no-reboot", "-display", "none", "-monitor", "none"),
            *("-icount", "shift=0,sleep=on"),
            *("-kernel", str(kernel), "-initrd", str(folder / "initrd"), "-dtb", str(tree)),
            *("-append", "console=ttyS1 panic=-1"),
            # QEMU's second serial port sends the kernel's messages, and nothing that waits for an interrupt.
            *("-chardev", f"socket,id=line,fd={line}", "-serial", "chardev:line", "-serial", "stdio"),
            *("-drive", f"{self._overlay(self._system.disk)},if=sd"),
            *(
                word
                for stick in sticks
                for word in (
                    *("-drive", f"{self._overlay(stick)},if=none,id={stick.stem}"),
                    *("-device", f"usb-storage,drive={stick.stem}"),
                )
            ),
            *("-qtest", f"unix:{self._socket},server=on,wait=off", "-qtest-log", "none"),
        ]

    def _overlay(self, disk: Path) -> str:
        """Return a drive whose changes are kept in a file of their own, and thrown away with it."""
        overlay = Path(self._folder.name, f"{disk.stem}.qcow2")
        make = ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(disk), "-F", "raw", str(overlay)]
        subprocess.run(make, check=True)
        return f"file={overlay},format=qcow2,cache=unsafe"
