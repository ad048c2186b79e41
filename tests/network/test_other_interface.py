"""The network interface is replaced under a door: a browser's name is asked for on the new one."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None,
    reason="namespaces need root, unshare and ip",
)
LIMIT_S = 60.0
MACHINE = """
import asyncio, subprocess
from pathlib import Path
from intercom.local_names import create_mdns_protocol

GROUP = "FB0000E0"

def ip(*words):
    subprocess.run(["ip", *words], check=True)

def plug():
    ip("link", "add", "cable", "type", "veth", "peer", "name", "switch")
    ip("address", "add", "192.0.2.1/24", "dev", "cable")
    ip("link", "set", "cable", "up")
    ip("link", "set", "switch", "up")
    ip("route", "add", "default", "dev", "cable")

def listens():
    groups = [line.split()[0] for line in Path("/proc/net/igmp").read_text().split("cable")[1].splitlines()[1:]]
    return GROUP in groups

async def main():
    asking = await create_mdns_protocol()
    for _ in range(2):
        plug()
        for _ in range(2):
            await asking.resolve("nobody.local", 0.01)
            print(listens())
        ip("link", "delete", "cable")
    await asking.close()

asyncio.run(main())
"""


def test_who_is_asked_for_a_name_is_heard_on_an_interface_that_came_later() -> None:
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-c", MACHINE],
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.stdout.split() == ["True"] * 4, done.stderr
