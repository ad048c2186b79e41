"""A USB headset is pulled out and put back in the middle of a call: how soon both ends hear each other again.

Runs on the kernel of tests/hardware: the package as its own processes, a headset that is plugged for real, lights on
GPIO lines. Stock aiortc reads and plays the same headset in the same guest, with the ALSA devices of its own library.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
from typing import Any

from bench.report import CannotRunError, Report, percentile
from tests.hardware.guest import CHECKOUT, SHARED, Guest
from tests.hardware.kernel import UnavailableError

CYCLES = int(os.environ.get("REPLUG_CYCLES", "30"))
STOCK_CALLS = 2
LIMIT_S = 400.0
RESULT = "replug.json"
STOCK_NEEDS = "ALSA_CONFIG_PATH=/usr/share/alsa/alsa.conf"
"""The library in PyAV's wheels looks for its configuration where it was built."""


async def run() -> Report:
    """Boot the guest, let it measure, report."""
    try:
        measured = await asyncio.to_thread(_measure)
    except UnavailableError as reason:
        raise CannotRunError(str(reason)) from reason
    return _report(measured)


def _measure() -> dict[str, Any]:
    with Guest(arguments=("snd_aloop.enable=1", "snd_aloop.id=Ring")) as guest:
        command = [sys.executable, "-m", "bench._replug_inside", str(CYCLES), str(STOCK_CALLS), str(SHARED / RESULT)]
        script = (
            f"cd {shlex.quote(str(CHECKOUT))} && PYTHONDONTWRITEBYTECODE=1 {STOCK_NEEDS} exec {shlex.join(command)}"
        )
        guest.run(script, limit_s=LIMIT_S).check()
        measured: dict[str, Any] = json.loads((guest.shared / RESULT).read_text())
        return measured


def _report(measured: dict[str, Any]) -> Report:
    gaps_ms, opened_ms, lights_ms = measured["gaps_ms"], measured["opened_ms"], measured["lights_ms"]
    return Report(
        bench="replug",
        figures={
            "gap_p95_ms": round(percentile(gaps_ms, 95)),
            "gap_p50_ms": round(percentile(gaps_ms, 50)),
            "opened_p95_ms": round(percentile(opened_ms, 95)),
            "opened_p50_ms": round(percentile(opened_ms, 50)),
            "kernel_p50_ms": round(percentile(measured["kernel_ms"], 50)),
            "light_p95_ms": round(percentile(lights_ms, 95)),
            "light_p50_ms": round(percentile(lights_ms, 50)),
            "calls_dropped": measured["dropped"],
            "cycles": len(gaps_ms),
        },
        targets={"gap_p95_ms": 150, "light_p95_ms": 200, "calls_dropped": 0},
        baselines={
            "aiortc_calls_dropped": measured["stock_dropped"],
            "aiortc_calls_tried": measured["stock_tried"],
        },
        notes=(
            "gap: from the headset's PCMs being there to the visitor heard in the house and the house in the headset; "
            "opened: to the headset being asked for sound of both directions, the door's own part of it. kernel: from "
            "the plug to the PCMs. light: from the pull to the light. Inside user-mode Linux with one processor, which "
            "the house's end of the call shares, and a clock of 100 Hz.",
            "A stock call counts as dropped when nothing is heard both ways 5 s after the headset is back.",
        ),
    )
