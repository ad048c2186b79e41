"""A space in a process of its own, so that what it costs can be measured: `python -m bench._space_process DIRECTORY`.

Endpoints of a push service after the directory are phones of the house whose pages are closed; `--residents N` and
`--doors N` are more members of the house. Its first line is JSON: where it is, and what mints tokens. It ends when its
standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from intercom.config import SpaceConfig
from intercom.space import Space
from tests.space.push.browser_keys import BrowserKeys

MEMBERS: dict[str, tuple[str, ...]] = {"door": (), "resident": ("house",)}
"""Who lives there; the credential of each is a file in the space's directory."""
DESCRIPTORS = 4096
"""File descriptors that it may have, as its unit says."""
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


class SpaceProcess(msgspec.Struct, frozen=True):
    """Another process's space."""

    pid: int
    url: str
    relay_url: str
    project_id: str
    api_token: str
    """With `project_id` the Basic credentials that mint tokens."""

    def cpu_s(self) -> float:
        """Processor time that it has used, user and system."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def rss_mb(self) -> float:
        """Its memory."""
        status = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1]) * 1024 / 1e6


@asynccontextmanager
async def space_process(
    directory: Path, *endpoints: str, residents: int = 0, doors: int = 0
) -> AsyncIterator[SpaceProcess]:
    """Start one, which pushes to these endpoints, with so many more members; it ends with the context.

    They are called resident-1 and door-1, and so on; each door's credential is a file in the directory.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bench._space_process",
        str(directory),
        *endpoints,
        f"--residents={residents}",
        f"--doors={doors}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield msgspec.json.decode(await process.stdout.readline(), type=SpaceProcess)
    finally:
        process.stdin.close()
        await process.wait()


def allow_descriptors() -> None:
    """Let this process have as many file descriptors as the unit of the space, or as it may."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(DESCRIPTORS, hard), hard))


async def _serve(directory: Path, endpoints: Sequence[str], residents: int, doors: int) -> None:
    allow_descriptors()
    services = tuple({urlsplit(endpoint).netloc for endpoint in endpoints})
    space = Space(SpaceConfig(listen="127.0.0.1:0", push_servers=services), directory)
    await space.start()
    for name, groups in MEMBERS.items():
        space.store.add_subscriber(name, name.capitalize(), groups=groups, kind="resident" if groups else "door")
        space.write_credential(name, directory / f"{name}.json")
    for number in range(1, residents + 1):
        space.store.add_subscriber(f"resident-{number}", groups=("house",))
    for number in range(1, doors + 1):
        space.store.add_subscriber(f"door-{number}", f"Door {number}", kind="door")
        space.write_credential(f"door-{number}", directory / f"door-{number}.json")
    for number, endpoint in enumerate(endpoints):
        phone = space.store.add_subscriber(f"phone-{number}", groups=("house",))
        secret = space.store.add_device(phone, f"Phone {number}")
        space.store.subscriptions.keep(secret, endpoint, **BrowserKeys().subscription(endpoint)["keys"])
    told = SpaceProcess(os.getpid(), space.url, space.relay_url, space.tokens.project_id, space.api_token)
    print(json.dumps(msgspec.to_builtins(told)), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await space.stop()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("directory", type=Path)
    parser.add_argument("endpoints", nargs="*")
    parser.add_argument("--residents", type=int, default=0)
    parser.add_argument("--doors", type=int, default=0)
    asked = parser.parse_args()
    asyncio.run(_serve(asked.directory, asked.endpoints, asked.residents, asked.doors))
