"""A real ntfy server for a test: this Debian's, or that of Debian 13, unpacked and not installed."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import pytest

from deb.cache import cache
from deb.mirror import debian_mirror

WAIT_S = 60.0
FETCH_S = 120.0
LISTENS = "0A"
"""The state of a listening socket in /proc/net/tcp."""
NEWER = "trixie"
"""The Debian that has it."""


@dataclass(frozen=True)
class Ntfy:
    """A running server."""

    port: int

    async def messages(self, topic: str) -> list[dict[str, Any]]:
        """All messages of a topic, the oldest first."""
        url = f"http://127.0.0.1:{self.port}/{topic}/json?poll=1"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return [json.loads(line) for line in (await answer.text()).splitlines()]

    async def file(self, message: dict[str, Any]) -> bytes:
        """What is attached to a message."""
        url = f"http://127.0.0.1:{self.port}{urlsplit(message['attachment']['url']).path}"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            return await answer.read()


def command() -> list[str]:
    """The command of an ntfy server; skips the test, with the reason, where there is none."""
    own = shutil.which("ntfy")
    if own and b"serve" in subprocess.run([own, "--help"], capture_output=True, check=False, timeout=WAIT_S).stdout:
        return [own]
    root = cache() / f"ntfy-{NEWER}"
    if not root.is_dir():
        _unpack(root)
    libraries = [str(folder) for folder in root.glob("usr/lib/*-linux-gnu*")]
    loader = next(iter(root.glob("usr/lib/*-linux-gnu*/ld-linux-*.so.*")))
    return [str(loader), "--library-path", ":".join(libraries), str(root / "usr/bin/ntfy")]


def _unpack(root: Path) -> None:
    if shutil.which("mmdebstrap") is None:
        pytest.skip("there is no ntfy server, nor mmdebstrap to fetch one")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ntfy-", dir=cache()) as folder:
        archive, unpacked = Path(folder, "root.tar"), Path(folder, "root")
        unpacked.mkdir()
        fetch = ["mmdebstrap", "--quiet", "--variant=extract", "--include=ntfy", NEWER, str(archive), debian_mirror()]
        only = ["./usr/bin/ntfy", "./usr/lib"]
        try:
            subprocess.run(fetch, capture_output=True, check=True, timeout=FETCH_S)
            subprocess.run(["tar", "-xf", archive, "-C", unpacked, *only], check=True, timeout=FETCH_S)
            unpacked.rename(root)
        except subprocess.SubprocessError as error:
            pytest.skip(f"this Debian has no ntfy server, and that of {NEWER} cannot be fetched: {error}")
        except OSError:
            if not root.is_dir():  # fetched meanwhile by another test run
                raise


@asynccontextmanager
async def running(start: Sequence[str], folder: Path, *, attachments: bool = True) -> AsyncIterator[Ntfy]:
    """Run a server that keeps everything in `folder`, on a port that it chose itself."""
    settings: dict[str, str] = {"listen-http": "127.0.0.1:0", "cache-file": str(folder / "cache.db")}
    settings["base-url"] = "http://127.0.0.1"
    if attachments:
        settings["attachment-cache-dir"] = str(folder / "attachments")
    file = folder / "server.yml"
    file.write_text("".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items()))
    process = await asyncio.create_subprocess_exec(
        *start, "serve", "--config", str(file), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        yield Ntfy(await _port(process.pid))
    finally:
        process.terminate()
        await process.wait()


async def _port(pid: int) -> int:
    """The port of loopback that a process listens on, once it does."""
    async with asyncio.timeout(WAIT_S):
        while (found := _listens_on(pid)) is None:
            await asyncio.sleep(0.05)  # the process is not ours to be told by
    return found


def _listens_on(pid: int) -> int | None:
    sockets = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            sockets.add(str(file.readlink()))
        except OSError:  # closed meanwhile
            continue
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *_, inode = line.split()[:10]
        if state == LISTENS and f"socket:[{inode}]" in sockets:
            return int(local.partition(":")[2], 16)
    return None
