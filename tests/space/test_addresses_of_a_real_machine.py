"""A space in a network of its own, whose machine is given an address while it runs: the kernel tells it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import asyncio, subprocess, sys, time
from pathlib import Path
import aiohttp
from intercom.config import SpaceConfig
from intercom.space import Membership, Space

ADDRESS = "192.0.2.7"

async def answer(http, port):
    async with http.get(f"https://localhost:{port}/api/space/hello", headers={"Host": ADDRESS}, ssl=False) as answer:
        return answer.status

async def main(directory):
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    space = Space(SpaceConfig(listen="0.0.0.0:0"), directory)
    await space.start()
    async with aiohttp.ClientSession() as http:
        print(await answer(http, space.port))
        subprocess.run(["ip", "addr", "add", f"{ADDRESS}/24", "dev", "lo"], check=True)
        async with asyncio.timeout(60):
            while await answer(http, space.port) != 200:
                await asyncio.sleep(0.1)
    with Membership(directory) as house:
        print(house.invite().url.startswith(f"https://{ADDRESS}:{space.port}/"))
    await space.stop()

asyncio.run(main(Path(sys.argv[1])))
"""
UNSHARE = ["unshare", "--net", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]


def test_a_machine_that_gets_its_address_late_is_asked_for_by_it_without_a_restart(tmp_path: Path) -> None:
    if shutil.which("ip") is None or subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("network namespaces cannot be made here (unshare --net)")
    command = [*UNSHARE, sys.executable, "-c", SCRIPT, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=150, check=False)
    assert ran.stdout.split() == ["421", "True"], ran.stderr
