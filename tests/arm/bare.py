"""The system of the bench: Debian's own kernel for arm64, and of Debian only what the program and its peers need.

`python -m tests.arm.bare` makes it and prints where it lies.
"""

from __future__ import annotations

import re
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.hardware.kernel import alone, cache

from .debian import disk, key, require, unpacked

PACKAGES = (
    *("bash", "busybox-static", "coreutils", "iproute2", "libasound2", "libc-bin", "libopus0", "libspeexdsp1"),
    *("libstdc++6", "linux-image-arm64", "mount", "procps", "python3", "strace", "util-linux"),
)
MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "9pnet_virtio", "9p", "crc32c_generic", "ext4", "dummy")
"""What reaches the disks, the host and a network, in this order, each after what it depends on."""
INIT = Path(__file__).with_name("init")
FIRST = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount -t devtmpfs dev /root/dev
exec /bin/busybox switch_root /root /init
"""
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
    (made / "initrd").write_bytes(_initrd(debian))
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


def _initrd(debian: Path) -> bytes:
    """Return what loads the modules that reach the root, as an archive that the kernel unpacks."""
    (lib,) = (debian / "lib/modules").iterdir()
    modules = {file.stem.replace("-", "_"): file for file in lib.rglob("*.ko")}
    wanted = list(dict.fromkeys(name for module in MODULES for name in _with_needs(module, modules)))
    files = {f"{name}.ko": modules[name].read_bytes() for name in wanted}
    files["init"] = FIRST.format(modules=" ".join(wanted)).encode()
    files["bin/busybox"] = (debian / "bin/busybox").read_bytes()
    return _cpio(("bin", "dev", "root"), files)


def _with_needs(module: str, modules: dict[str, Path]) -> Iterator[str]:
    needs = re.search(rb"\0depends=([^\0]*)\0", modules[module].read_bytes())
    for need in needs[1].decode().split(",") if needs and needs[1] else ():
        yield from _with_needs(need.replace("-", "_"), modules)
    yield module


def _cpio(folders: tuple[str, ...], files: dict[str, bytes]) -> bytes:
    """Return an archive in the kernel's format (Documentation/driver-api/early-userspace/buffer-format.rst)."""
    entries = [(name, stat.S_IFDIR | 0o755, b"") for name in folders]
    entries += [(name, stat.S_IFREG | 0o755, content) for name, content in files.items()]
    packed = bytearray()
    for number, (name, mode, content) in enumerate([*entries, ("TRAILER!!!", 0, b"")], 1):
        fields = (number, mode, 0, 0, 1, 0, len(content), 0, 0, 0, 0, len(name) + 1, 0)
        packed += b"070701" + b"".join(b"%08X" % field for field in fields) + name.encode() + b"\0"
        packed += bytes(-len(packed) % 4) + content
        packed += bytes(-len(packed) % 4)
    return bytes(packed)


if __name__ == "__main__":
    print(system())
