"""Power cuts in the middle of writes, on a real ext4 with a journal; then the whole machine on what is left of it.

Each cut ends the kernel as a process: what it still held in memory is gone, what had reached the disk stays. The
machine afterwards has a root that nothing writes, and only this small disk for its state.
"""

from __future__ import annotations

import compileall
import random
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .guest import CHECKOUT, Guest
from .station import INTERCOM, STATE, STATE_DISK, Station, copy_of
from .storm import last_said
from .wait import until

CUTS = 20
LONGEST_STORM_S = 0.4
START_LIMIT_S = 180.0
IDLE_S = 12
"""Longer than anything that the services do at intervals while nothing happens."""
DISK_MB = 16
SAID = "journalctl --no-pager -o cat -u intercom | grep -q '{}'"
STORM = f"""
mkdir -p /run/state && mount /dev/ubda /run/state &&
PYTHONDONTWRITEBYTECODE=1 exec {shlex.quote(sys.executable)} -c '
import importlib.util, runpy, sys
# The stores of the space without its web server, whose import takes a second at each boot.
sys.modules["intercom.space"] = importlib.util.module_from_spec(importlib.util.find_spec("intercom.space"))
sys.argv[1:] = ["/run/state", "/run/shared/said"]
runpy.run_module("tests.hardware.storm", run_name="__main__")
'
"""


@pytest.fixture(scope="module")
def state_disk(tmp_path_factory: pytest.TempPathFactory, station_disk: Path) -> Path:
    """A small disk, to which nothing happened yet."""
    disk = tmp_path_factory.mktemp("power") / "state.ext4"
    subprocess.run(["mke2fs", "-q", "-t", "ext4", "-m", "0", "-F", str(disk), f"{DISK_MB}M"], check=True)
    return disk


@pytest.fixture(scope="module")
def station(state_disk: Path, station_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    disk = copy_of(station_disk, tmp_path_factory.mktemp("read-only"))
    with Station(disk, access="ro", arguments=(STATE_DISK, f"ubd1={state_disk}")) as station:
        yield station


def test_twenty_power_cuts_lose_nothing_and_damage_nothing(state_disk: Path, tmp_path: Path) -> None:
    for folder in ("intercom", "tests"):  # which the guest could not write, and would compile at each boot
        compileall.compile_dir(CHECKOUT / folder, quiet=1)
    said = 0
    chance = random.Random(20)
    for _ in range(CUTS):
        with Guest(arguments=("no_devices", f"ubd0={state_disk}")) as guest:
            said = _storm(guest, said, chance.uniform(0, LONGEST_STORM_S))
    assert said >= CUTS


def _storm(guest: Guest, said: int, seconds: float) -> int:
    """Write after what was said until then, and cut the power some seconds later; what was said in the end."""
    file = guest.shared / "said"
    file.write_text(f"{said}\n")
    storm = guest.start(STORM, limit_s=START_LIMIT_S)
    until(lambda: last_said(file) > said or not guest.running(storm), START_LIMIT_S, "the storm has begun")
    assert guest.running(storm), guest.output(storm)
    time.sleep(seconds)  # the moment of the cut is what is tried
    guest.cut_power()
    return last_said(file)


def test_the_door_starts_on_a_root_that_is_read_only_and_on_what_the_power_cuts_left(station: Station) -> None:
    station.wait_registered()
    assert station.run("touch /etc/written").status != 0
    (last, *_) = station.run(f"{INTERCOM} calls -n 1").check().splitlines()[1:]
    assert "/private/house" in last
    assert station.show("NRestarts") == "0"


def test_nothing_is_written_while_nothing_happens(station: Station) -> None:
    written = "awk '{print $7}' /sys/block/ubdb/stat"
    before, after = station.run(f"sync; {written}; sleep {IDLE_S}; sync; {written}").check().split()
    assert int(after) - int(before) == 0, "sectors of 512 bytes"


def test_a_full_disk_neither_stops_the_door_nor_loses_a_call(station: Station) -> None:
    _fill(station)
    assert station.run(f"{INTERCOM} door open").status == 0
    assert station.run(f"systemctl restart intercom-space intercom; df {STATE}").status == 0
    station.wait_registered()
    _fill(station)  # a service that ends takes its journals with it
    opened = f"{INTERCOM} calls -n 5 | grep -c 'door opened'"
    station.wait(f"{INTERCOM} door open", "the door opens")
    station.wait(f"test $({opened}) -ge 1", "the opening is remembered")
    station.wait(SAID.format("cannot be written"), "the journal tells of the full disk")
    station.run(f"rm {STATE}/filler").check()
    station.wait(f"{INTERCOM} door open", "the door opens again")
    station.wait(f"test $({opened}) -ge 2", "both openings are written")
    station.wait(SAID.format("is written again"), "the journal tells of its end")


def _fill(station: Station) -> None:
    """Fill the disk of the state to its last block; what was deleted is free once the file system's journal says so."""
    more = f"dd if=/dev/zero bs=1k oflag=append conv=notrunc of={STATE}/filler 2>/dev/null"
    station.wait(f"sync && {more}; sync; test $(stat -f -c %a {STATE}) = 0", "the disk is full")
