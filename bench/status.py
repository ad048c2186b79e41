"""`intercom status` from cold: from the start of the command to its end, answered by a real, registered door station.

It is asked as well when the service hangs (its process is stopped) and when it is down: it must say so, not hang too.
`intercom door-off`, which locks the door after a crash, is timed beside it, with simulated pins: the start is what it
costs. The baseline is the interpreter alone, which does nothing: what is above it is ours.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Report, spread

RUNS = 60
LIMIT_MS = 120.0
HUNG_S = 3.0
"""From then on `status` knows that it hangs: the service's heart beats once a second."""
READY_S = 60.0
INTERCOM = Path(sys.executable).parent / "intercom"


async def run() -> Report:
    """Ask sixty times while the door is well, and some more while it hangs."""
    return await asyncio.to_thread(_measure)


def _measure() -> Report:
    with tempfile.TemporaryDirectory(
        prefix="intercom-bench-", dir="/run" if os.access("/run", os.W_OK) else None
    ) as at:
        environ = {**os.environ, "XDG_STATE_HOME": at, "RUNTIME_DIRECTORY": at}
        environ |= {"INTERCOM_SOCKET": f"{at}/control.sock", "PYTHONDONTWRITEBYTECODE": ""}
        config = Path(at, "bench.toml")
        config.write_text(
            '[audio]\ncard = "simulated"\n[camera]\nsource = "pattern"\n'
            '[panel]\npins = "simulated"\npage_listen = ""\n[space]\nlisten = "127.0.0.1:0"\n'
        )
        door = subprocess.Popen(
            [INTERCOM, "demo", "--config", config], env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            _wait(environ)
            bare = [_timed([sys.executable, "-c", "pass"], environ, 0) for _ in range(RUNS)]
            took = [_timed([str(INTERCOM), "status"], environ, 0) for _ in range(RUNS)]
            off = [_timed([str(INTERCOM), "door-off", "--config", str(config)], environ, 0) for _ in range(RUNS)]
            door.send_signal(signal.SIGSTOP)
            time.sleep(HUNG_S)
            hung = [_timed([str(INTERCOM), "status"], environ, 4) for _ in range(RUNS)]
            door.send_signal(signal.SIGCONT)
        finally:
            door.send_signal(signal.SIGINT)
            door.wait(10)
        down = [_timed([str(INTERCOM), "status"], environ, 3) for _ in range(RUNS)]
    figures = spread(took)
    figures |= {f"hung_{name}": value for name, value in spread(hung).items()}
    figures |= {f"down_{name}": value for name, value in spread(down).items()}
    figures |= {f"door_off_{name}": value for name, value in spread(off).items()}
    baselines = {f"python_{name}": value for name, value in spread(bare).items()}
    targets = dict.fromkeys(("p95_ms", "hung_p95_ms", "down_p95_ms", "door_off_p95_ms"), LIMIT_MS)
    notes = ["Hung: the process is stopped. A silence of less than 2.5 s is waited for up to 1 s: not counted."]
    return Report("status", figures, targets, baselines, notes=notes)


def _wait(environ: dict[str, str]) -> None:
    give_up = time.monotonic() + READY_S
    while subprocess.run([INTERCOM, "status"], env=environ, capture_output=True, check=False).returncode != 0:
        assert time.monotonic() < give_up, "the door station does not get ready"
        time.sleep(0.2)


def _timed(command: list[str], environ: dict[str, str], expected: int) -> float:
    began = time.perf_counter()
    done = subprocess.run(command, env=environ, capture_output=True, check=False)
    took_ms = (time.perf_counter() - began) * 1000
    assert done.returncode == expected, done
    return took_ms
