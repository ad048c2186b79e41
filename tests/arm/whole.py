"""The system of `make arm`: Debian 12 for arm64 with systemd, set up in emulation, on a kernel with simulated hardware.

`python -m tests.arm.whole` makes it and prints where it lies; `--install` fetches the packages first. Needs root.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deb.mirror import debian_mirror
from tests.hardware.boot import AGENT_UNIT
from tests.hardware.kernel import UnavailableError, alone, cache, install, missing, wish

from .bare import System
from .binfmt import understand_aarch64
from .debian import SUITE, disk, key, run
from .kernel import kernel

HERE = Path(__file__).parent
TOOLS = (
    *("arch-test", "device-tree-compiler", "e2fsprogs", "gcc-aarch64-linux-gnu", "make", "mmdebstrap"),
    *("qemu-system-arm", "qemu-user-static", "qemu-utils", "xz-utils"),
)
PACKAGES = (
    "alsa-utils",
    "ca-certificates",
    "dbus",
    "espeak-ng",
    "iproute2",
    "libasound2",
    "libopus0",
    "libspeexdsp1",
    "procps",
    "python3",
    "sudo",
    "systemd",
    "systemd-sysv",
    "udev",
)
SIZE = "3G"
"""Sparse."""
LIMIT_S = 40 * 60
"""10 minutes on a busy machine of two cores: the packages are set up in emulation."""


def system() -> System:
    """Return kernel and disk, making them first where they are not cached."""
    if absent := missing(TOOLS):
        if wish() != "on":
            raise UnavailableError(f"the machine needs packages: apt-get install {' '.join(absent)}")
        install(tuple(absent))
    made_of = (SUITE, SIZE, *PACKAGES, AGENT_UNIT, (HERE / "boot-agent").read_text())
    kept = cache() / f"arm64-whole-{key(*made_of)}.ext4"
    if not kept.exists():
        if os.geteuid() != 0:
            raise UnavailableError("making the disk needs root: run python -m tests.arm.whole as root once")
        with alone("arm64-whole"), TemporaryDirectory(prefix="root-", dir=cache()) as work:
            _make(Path(work)).rename(kept)
    made = kernel()
    return System(made.image, kept, made.initrd)


def _make(work: Path) -> Path:
    tree, unit, made = work / "tree", work / "boot-agent.service", work / "disk"
    unit.write_text(AGENT_UNIT)
    understand_aarch64()
    run(
        *("nice", "mmdebstrap", "--variant=minbase", "--architectures=arm64", f"--include={','.join(PACKAGES)}"),
        f"--customize-hook=copy-in {HERE / 'boot-agent'} /usr/local/sbin",
        f"--customize-hook=copy-in {unit} /etc/systemd/system",
        "--customize-hook=echo 127.0.0.1 localhost door >$1/etc/hosts; echo door >$1/etc/hostname",
        '--customize-hook=chroot "$1" systemctl enable boot-agent.service',
        *(SUITE, str(tree), debian_mirror()),
        limit_s=LIMIT_S,
    )
    disk(tree, made, SIZE)
    return made


if __name__ == "__main__":
    if "--install" in sys.argv[1:]:
        install(TOOLS)
    print(system())
