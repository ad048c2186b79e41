"""The first file system of an ARM machine: it loads the kernel's modules, and gives way to the disk."""

from __future__ import annotations

import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

MODULES = ("virtio_mmio", "virtio_blk", "virtio_console", "9pnet_virtio", "9p", "crc32c_generic", "ext4", "dummy")
"""What reaches the disks, the host and a network, in this order, each after what it depends on."""
FIRST = """#!/bin/busybox sh
/bin/busybox mount -t devtmpfs dev /dev
for module in {modules}; do /bin/busybox insmod /$module.ko; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox mount -t devtmpfs dev /root/dev
exec /bin/busybox switch_root /root {init}
"""


def initrd(debian: Path, modules: Sequence[str], init: str, built: Sequence[Path] = (), *, first: str = FIRST) -> bytes:
    """Return an archive that loads these modules of Debian's, then those built beside, and starts `init`."""
    (lib,) = (debian / "lib/modules").iterdir()
    files = {file.stem.replace("-", "_"): file for file in lib.rglob("*.ko")}
    files |= {file.stem: file for file in built}
    roots = (*modules, *(file.stem for file in built))
    wanted = list(dict.fromkeys(name for module in roots for name in _with_needs(module, files)))
    packed = {f"{name}.ko": files[name].read_bytes() for name in wanted}
    packed["init"] = first.format(modules=" ".join(wanted), init=init).encode()
    packed["bin/busybox"] = (debian / "bin/busybox").read_bytes()
    return _cpio(("bin", "dev", "root"), packed)


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
