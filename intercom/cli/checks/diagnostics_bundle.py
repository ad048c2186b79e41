"""The bundle for a bug report: the service's documents and the system's own reports, without secrets."""

from __future__ import annotations

import io
import json
import platform
import re
import subprocess
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TEXT_LIMIT_BYTES = 1024 * 1024
"""Size limit of one file in the bundle."""
TOOL_S = 5.0
_FILES = {
    "os-release": "/etc/os-release",
    "model": "/proc/device-tree/model",
    "cpu": "/proc/cpuinfo",
    "memory": "/proc/meminfo",
    "sound-cards": "/proc/asound/cards",
    "sound-pcms": "/proc/asound/pcm",
    "load": "/proc/loadavg",
    "boot-config": "/boot/firmware/config.txt",
}
_TOOLS = {
    "usb": ["lsusb"],
    "disks": ["df", "-h"],
    "addresses": ["ip", "-brief", "address"],
    "unit": ["systemctl", "status", "--no-pager", "--lines=0", "intercom.service", "intercom-space.service"],
    "journal": ["journalctl", "--no-pager", "--lines=1000", "--unit=intercom.service", "--unit=intercom-space.service"],
    "kernel": ["journalctl", "--no-pager", "--lines=300", "--dmesg"],
    "throttled": ["vcgencmd", "get_throttled"],
}
_SECRETS = (
    (re.compile(r"-----BEGIN [^-]*-----.*?(-----END [^-]*-----|\Z)", re.DOTALL), "(key removed)"),
    (re.compile(r"eyJ[\w-]{4,}(\.[\w-]*){0,4}"), "(token removed)"),
    (re.compile(r"\b(PT|SAT)[0-9A-Za-z_-]{16,}"), "(token removed)"),
    (re.compile(r"\b(icm|whsec)_[\w+/=-]{16,}"), "(token removed)"),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), r"\1 (removed)"),
    (re.compile(r"(?i)(#|\b)pair=[\w-]+"), r"\1pair=(removed)"),
    (re.compile(r"(://|\b(?:turn|stun)s?:)[^/\s@\"']+@"), r"\1(removed)@"),
    (
        re.compile(
            r"(?i)(\"?\b\w*(?:token|secret|passw(?:or)?d|credential|api_?key|private_?key)\"?\s*[:=]\s*)(\"[^\"]*\"|[^\s,;}]+)"
        ),
        r"\1(removed)",
    ),
    (re.compile(r"\+\d{5,13}(\d\d)\b"), r"+(number ending in \1)"),
)


def without_secrets(text: str) -> str:
    """Return the text without tokens, keys, passwords, pairing codes and telephone numbers."""
    for pattern, instead in _SECRETS:
        text = pattern.sub(instead, text)
    return text


def bundle(documents: Mapping[str, Any], *, now: float) -> bytes:
    """Return a gzipped tar of these documents (as JSON) and of the system's own reports."""
    texts = {f"{name}.json": json.dumps(content, indent=1) for name, content in documents.items()}
    texts |= {f"system/{name}.txt": _read(path) for name, path in _FILES.items()}
    texts |= {f"system/{name}.txt": _run(command) for name, command in _TOOLS.items()}
    texts["system/python.txt"] = f"{platform.python_version()} on {platform.platform()}\n"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in texts.items():
            data = without_secrets(text).encode("utf-8", "replace")[-TEXT_LIMIT_BYTES:]
            entry = tarfile.TarInfo(f"intercom-diagnostics/{name}")
            entry.size, entry.mtime, entry.mode = len(data), int(now), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def file_name(now: float) -> str:
    """Return the bundle's file name."""
    return time.strftime("intercom-diagnostics-%Y%m%d-%H%M%S.tar.gz", time.localtime(now))


def _read(path: str) -> str:
    try:
        return Path(path).read_text(errors="replace").replace("\0", "\n")
    except OSError as error:
        return f"({error.strerror})\n"


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
            command, capture_output=True, text=True, errors="replace", timeout=TOOL_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"({error})\n"
    return done.stdout + done.stderr
