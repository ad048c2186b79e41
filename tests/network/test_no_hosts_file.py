"""A machine that knows no "localhost": it has no /etc/hosts, and no address but the loopback interface's own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None or shutil.which("ip") is None,
    reason="namespaces need root, unshare and ip",
)
LIMIT_S = 60.0
MACHINE = """
set -e
mount --bind "$1" /etc/hosts
mount --bind "$1" /etc/resolv.conf
ip link set lo up
test "$2" = ::1 && ip -4 address del 127.0.0.1/8 dev lo
test "$2" = 127.0.0.1 && ip -6 address del ::1/128 dev lo 2>/dev/null || true
exec "$3" -m tests.network.localhost "$2"
"""


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_the_door_reaches_a_space_on_its_own_machine(tmp_path: Path, address: str) -> None:
    (tmp_path / "empty").touch()
    command = ["unshare", "--mount", "--net", "bash", "-c", MACHINE, "machine", str(tmp_path / "empty")]
    done = subprocess.run(
        [*command, address, sys.executable], capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.stdout.splitlines() == ["no name: True", "socket: hello", "answer: hello"], done.stderr
