"""The units: systemd understands every line of them, and they open no more of the machine than they should."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parent.parent / "systemd").glob("*.service"))
EXPOSURE_LIMIT = 1.5
"""`systemd-analyze security` goes from 0 (safe) to 10."""

pytestmark = [
    pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed"),
    pytest.mark.skipif(
        os.getuid() != 0 and not Path("/run/systemd").exists(),
        reason="systemd does not run here, and only root makes the folder that systemd-analyze needs",
    ),
]

each_unit = pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)


@each_unit
def test_systemd_understands_every_line(unit: Path, tmp_path: Path) -> None:
    # The program is not installed where the unit expects it: another one that exists stands in.
    installed = re.sub(r"/opt/intercom/bin/intercom", "/bin/true", unit.read_text())
    (tmp_path / unit.name).write_text(installed)
    verify = ["systemd-analyze", "verify", "--man=no", str(tmp_path / unit.name)]
    done = subprocess.run(verify, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


@each_unit
def test_a_service_is_open_to_no_more_than_it_needs(unit: Path) -> None:
    judge = ["systemd-analyze", "security", "--offline=yes", f"--threshold={EXPOSURE_LIMIT * 10:.0f}", str(unit)]
    done = subprocess.run(judge, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout


@each_unit
def test_a_service_is_never_given_up_on(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert {"Restart=always", "StartLimitIntervalSec=0"} <= set(lines)


def test_the_door_is_locked_whatever_the_program_died_of() -> None:
    (door,) = (unit for unit in UNITS if unit.name == "intercom.service")
    assert "ExecStopPost=/opt/intercom/bin/intercom door-off" in door.read_text().splitlines()


@each_unit
def test_systemd_hears_from_the_program_itself_when_it_is_ready_and_while_it_is_alive(unit: Path) -> None:
    lines = unit.read_text().splitlines()
    assert {"Type=notify", "NotifyAccess=main"} <= set(lines)
    assert any(re.fullmatch(r"WatchdogSec=\d+", line) for line in lines)


@each_unit
def test_a_service_takes_no_more_than_its_share_of_memory_and_of_the_log(unit: Path) -> None:
    settings = dict(line.split("=", 1) for line in unit.read_text().splitlines() if re.match(r"\w+=", line))
    assert settings["MemoryMax"].removesuffix("M").isdecimal()
    assert (settings["LogRateLimitIntervalSec"], settings["LogRateLimitBurst"]) == ("30s", "300")
