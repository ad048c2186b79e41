"""The Makefile: what a newcomer types first works, and the rest runs what the tests run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.readme import ROOT
from tests.running import Running

OWN_NETWORK = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
"""The ports of the defaults may be taken on this machine; in a network of its own they are free."""
SEEN_FROM_WITHIN = "import sys, urllib.request as u; print([u.urlopen(a, timeout=60).status for a in sys.argv[1:]])"


def printed(*words: str) -> str:
    """What make says that it would run, or does."""
    return subprocess.run(["make", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def has_own_network() -> bool:
    if shutil.which("unshare") is None or shutil.which("ip") is None:
        return False
    return subprocess.run([*OWN_NETWORK, "true"], capture_output=True, check=False).returncode == 0


def test_make_alone_lists_what_there_is() -> None:
    targets = re.findall(r"^([a-z]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert re.findall(r"^  make (\w+) +\S", printed(), re.MULTILINE) == targets


@pytest.mark.parametrize(
    ("words", "runs"),
    [
        (["demo", "LAN=1"], "intercom demo --lan"),
        (["deb", "SUITE=bookworm", "ARCH=arm64"], "python -m deb --suite bookworm --arch arm64"),
        (["chaos", "MINUTES=3", "SEED=7"], "python -m tests.hardware.chaos --minutes 3 --seed 7"),
        (["restarts", "TIMES=9", "SEED=7"], "python -m tests.restarts --times 9 --seed 7"),
        (["uninstall", "PURGE=1"], "systemd/install.sh uninstall purge"),
        (["bench", "NAME=status"], "python -m bench status"),
        (["test", "PART=space"], "python -m tests --part space"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_is_given_to_make_reaches_the_program(words: list[str], runs: str) -> None:
    assert f"{runs}\n" in printed("--dry-run", *words)


@pytest.mark.skipif(not list((ROOT / ".venv").glob(".set-up*")), reason="setup.sh did not make this environment")
@pytest.mark.skipif(not has_own_network(), reason="a network of its own takes root and iproute2")
def test_the_first_command_of_the_readme_serves_both_pages_until_ctrl_c(tmp_path: Path) -> None:
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    demo = Running([*OWN_NETWORK, "make", "demo"], environment, ROOT)
    try:
        demo.wait_for("Press Ctrl-C to stop.")
        pages = sorted(set(re.findall(r"http://\S+/", demo.output)))
        look = ["nsenter", "--net", "--target", str(demo.process.pid), ".venv/bin/python", "-c", SEEN_FROM_WITHIN]
        done = subprocess.run([*look, *pages], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.stdout == "[200, 200]\n", (pages, done.stderr)
        demo.interrupt()
        assert "Traceback" not in demo.output
    finally:
        demo.kill()
