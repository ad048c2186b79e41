"""Every way a call can end frees everything: the loop of `bench call-leaks`, two hundred calls long."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOM_MB = 10.0
"""Limit of the growth: a heap wavers by some MB, and one picture leaked a call would be 250."""
ROOM_BYTES, ROOM_OBJECTS = 2000, 10
"""Limits of what each call leaves allocated; a call's description alone has 4000 bytes."""
MEASURE = """
import asyncio, json, logging
from bench.call_leaks import CALLS, measure
logging.basicConfig(level=logging.ERROR, format="%(message)s")
print(json.dumps(asyncio.run(measure(CALLS))))
"""


@pytest.mark.timeout(900)  # on a busy machine it is only slow
def test_two_hundred_calls_leave_nothing_behind_and_no_complaint() -> None:
    # In a process of its own: the heap of one in which three thousand tests ran tells nothing.
    here = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", MEASURE], capture_output=True, text=True, cwd=here, check=False)
    assert done.returncode == 0, done.stderr
    left = json.loads(done.stdout.splitlines()[-1])
    assert left["leaked_fds"] <= 0
    assert left["leaked_threads"] <= 0
    assert left["leaked_tasks"] <= 0
    assert left["kept_bytes_per_call"] < ROOM_BYTES
    assert left["kept_objects_per_call"] < ROOM_OBJECTS
    assert left["rss_growth_mb"] < ROOM_MB
    assert done.stderr == ""
