"""The kernel of the whole ARM machine: Debian's own, with GPIO lines and USB ports that are simulated.

Debian leaves out `gpio-sim` and what it needs. They are built as one module from Debian's own source.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hardware.kernel import alone, cache

from .binfmt import understand_aarch64
from .debian import key, run, unpacked
from .initrd import FIRST, MODULES, initrd

SOURCE = "linux-source-6.1"
PACKAGES = ("busybox-static", "linux-headers-arm64", "linux-image-arm64", SOURCE)
HARDWARE = ("autofs4", "binfmt_misc", "configfs", "snd_usb_audio", "vhci_hcd")
"""What systemd and the door need besides: `gpio-sim` is set up by files, a headset can be plugged in by vhci-hcd."""
FILES = ("drivers/gpio/gpio-sim.c", "drivers/gpio/gpiolib.h", "kernel/irq/irq_sim.c")
KBUILD = "obj-m := gpio_sim.o\ngpio_sim-y := gpio-sim.o irq_sim.o\n"
NOT_EXPORTED = ("irq_to_desc(irqnum)", "irq_data_to_desc(irq_get_irq_data(irqnum))")
"""What the kernel keeps to itself, and a way to the same that modules have."""
COMPILER = "aarch64-linux-gnu-"


@dataclass(frozen=True)
class Kernel:
    """A kernel and the first file system that loads its modules."""

    image: Path
    initrd: Path


def kernel() -> Kernel:
    """Return the kernel, making it first where it is not cached; `UnavailableError` where that cannot be."""
    kept = cache() / f"arm64-kernel-{key(*PACKAGES, *HARDWARE, *MODULES, FIRST, *FILES, KBUILD, *NOT_EXPORTED)}"
    with alone("arm64-kernel"):
        if not kept.exists():
            with TemporaryDirectory(prefix="arm64-kernel-", dir=cache()) as work:
                _make(unpacked(*PACKAGES), Path(work)).rename(kept)
    return Kernel(kept / "Image", kept / "initrd")


def _make(debian: Path, work: Path) -> Path:
    made = work / "made"
    made.mkdir()
    (image,) = (debian / "boot").glob("vmlinuz-*")
    shutil.copy(image, made / "Image")
    (made / "initrd").write_bytes(initrd(debian, (*MODULES, *HARDWARE), "/sbin/init", [_gpio_sim(debian, work)]))
    return made


def _gpio_sim(debian: Path, work: Path) -> Path:
    """Build the module, and return its file."""
    folder = work / "gpio-sim"
    folder.mkdir()
    source = (debian / f"usr/src/{SOURCE}.tar.xz", f"--directory={folder}", "--transform=s|.*/||")
    run("nice", "tar", "--extract", f"--file={source[0]}", *source[1:], *(f"{SOURCE}/{file}" for file in FILES))
    text = (folder / "irq_sim.c").read_text()
    (folder / "irq_sim.c").write_text(text.replace(*NOT_EXPORTED))
    (folder / "Kbuild").write_text(KBUILD)
    (common,) = (debian / "usr/src").glob("linux-headers-*-common")
    (headers,) = (debian / "usr/src").glob("linux-headers-*-arm64")
    understand_aarch64()  # the programs that build a module are Debian's for arm64
    make = ("nice", "make", "--silent", f"--directory={common}", f"O={headers}", f"M={folder}")
    run(*make, f"CROSS_COMPILE={COMPILER}", "modules", QEMU_LD_PREFIX=str(debian))
    run(f"{COMPILER}strip", "--strip-debug", str(folder / "gpio_sim.ko"))
    return folder / "gpio_sim.ko"


if __name__ == "__main__":
    print(kernel())
