"""How much of the machine the two services could reach if they were taken over: `systemd-analyze security`, 0 to 10.

The score is systemd's own, of the units as they are installed; no systemd needs to run. The baseline is a unit that
only names its program, as most do.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from bench.report import CannotRunError, Report

UNITS = Path(__file__).parent.parent / "systemd"
LIMIT = 2.5
LIMIT_S = 30
BARE = "[Service]\nUser=nobody\nExecStart=/bin/true\n"


async def run() -> Report:
    """Ask systemd about both units, and about one without any sandbox."""
    return await asyncio.to_thread(_measure)


def _measure() -> Report:
    if shutil.which("systemd-analyze") is None:
        raise CannotRunError("there is no systemd-analyze here: `apt install systemd`")
    door, space = _score(UNITS / "intercom.service"), _score(UNITS / "intercom-space.service")
    with tempfile.TemporaryDirectory() as folder:
        bare = Path(folder, "bare.service")
        bare.write_text(BARE)
        baselines = {"bare_unit_score": _score(bare)}
    figures = {"score": max(door, space), "door_score": door, "space_score": space}
    notes = ["score: the higher of the two. The same is asked of the running services in tests/hardware."]
    return Report("exposure", figures, {"score": LIMIT}, baselines, notes=notes)


def _score(unit: Path) -> float:
    command = ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(unit)]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=LIMIT_S).stdout
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert found is not None, said
    return float(found[1])
