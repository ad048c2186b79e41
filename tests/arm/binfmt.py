"""Programs for aarch64 as programs of this machine: its kernel starts them under qemu-user. Needs root."""

from __future__ import annotations

from pathlib import Path

from .debian import require, run

BINFMT = Path("/proc/sys/fs/binfmt_misc")
KNOWN_BY = Path("/usr/lib/binfmt.d/qemu-aarch64.conf")
"""How the kernel knows a program for aarch64, as the emulator's package says it for systemd."""


def understand_aarch64() -> None:
    """Let the kernel run programs for aarch64: by itself, under another root."""
    require(("qemu-aarch64-static", "qemu-user-static"))
    if not (BINFMT / "register").exists():
        run("mount", "-t", "binfmt_misc", "binfmt_misc", str(BINFMT))
    if not (BINFMT / "qemu-aarch64").exists():
        (BINFMT / "register").write_bytes(KNOWN_BY.read_bytes().strip())
