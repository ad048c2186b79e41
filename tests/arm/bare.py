"""The system of the bench: Debian's own kernel for arm64, and of Debian only what the program and its peers need.

`python -m tests.arm.bare` makes it and prints where it lies.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hardware.kernel import alone, cache

from .debian import disk, key, require, unpacked
from .initrd import FIRST, MODULES, initrd

PACKAGES = (
    *("bash", "busybox-static", "coreutils", "iproute2", "libasound2", "libc-bin", "libopus0", "libspeexdsp1"),
    *("libstdc++6", "linux-image-arm64", "mount", "procps", "python3", "strace", "util-linux"),
)
INIT = Path(__file__).with_name("init")
SIZE = "1G"


@dataclass(frozen=True)
class System:
    """What a machine boots: a kernel, and a disk that is its root."""

    kernel: Path
    disk: Path
    initrd: Path | None = None


def system() -> System:
    """Return the bench's system, making it first where it is not cached; `UnavailableError` where that cannot be."""
    require(("qemu-system-aarch64", "qemu-system-arm"), ("qemu-img", "qemu-utils"), ("mke2fs", "e2fsprogs"))
    kept = cache() / f"arm64-bare-{key(*PACKAGES, *MODULES, FIRST, INIT.read_text())}"
    made = System(kept / "Image", kept / "disk", kept / "initrd")
    with alone("arm64-bare"):
        if not kept.exists():
            with TemporaryDirectory(prefix="arm64-bare-", dir=cache()) as work:
                _make(unpacked(*PACKAGES), Path(work)).rename(kept)
    return made


def _make(debian: Path, work: Path) -> Path:
    tree, made = work / "tree", work / "made"
    made.mkdir()
    (kernel,) = (debian / "boot").glob("vmlinuz-*")
    shutil.copy(kernel, made / "Image")
    (made / "initrd").write_bytes(initrd(debian, MODULES, "/init"))
    shutil.copytree(debian, tree, symlinks=True, ignore=shutil.ignore_patterns("boot", "modules", "doc", "man"))
    for folder in ("checkout", "opt/bench", "root", "tmp"):
        (tree / folder).mkdir(parents=True, exist_ok=True)
    (tree / "bin/sh").symlink_to("bash")
    (tree / "etc/hosts").write_text("127.0.0.1 localhost\n")
    (tree / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/bash\n")
    (tree / "etc/group").write_text("root:x:0:\n")
    shutil.copy(INIT, tree / "init")
    disk(tree, made / "disk", SIZE)
    return made


if __name__ == "__main__":
    print(system())
