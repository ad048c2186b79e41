"""Report on a service that does not answer: since when, and why. Imports next to nothing."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from intercom.control.errors import NotAnsweringError
from intercom.control.place import SYSTEM_DIRECTORY

UNIT = "intercom.service"
SYSTEMCTL_S = 2.0
SYSTEMD_RUNS = "/run/systemd/system"
"""Path that exists only where systemd is the init (sd_booted(3))."""
STALE_S = 2.5
"""Age of a heartbeat after which the service counts as hanging: two and a half of the server's intervals."""
HELLO_S, HELLO_STALE_S = 5.0, 0.005
"""Wait for the service's first word, normally and after its heartbeat stopped; the command itself has 120 ms."""
IN_MEMORY = Path("/run")
"""Directory for heartbeats; elsewhere each beat would be written to the card."""
_PROCESS_STATES = {
    "T": "it is stopped (SIGCONT lets it go on)",
    "t": "a debugger holds it",
    "D": "it waits for a device",
    "Z": "it is dead and nobody has collected it",
    "R": "it computes",
    "S": "it waits",
}


def patience_s(path: Path) -> float:
    """Return how long to wait for the service's first word."""
    file = _beating(path)
    # The heartbeat is on the monotonic clock: soon after the boot, the network may set the other clock by months.
    return HELLO_S if file is None or time.monotonic() - file.st_mtime < STALE_S else HELLO_STALE_S


def not_running(path: Path) -> dict[str, Any]:
    """Return a status document for a service that is not running."""
    unit = _unit() if path.parent == SYSTEM_DIRECTORY else {}
    if unit.get("LoadState") == "loaded":
        result = unit.get("Result", "")
        reason = f"systemd says {unit.get('ActiveState', '')} ({unit.get('SubState', '')}), last result {result}"
        return {
            "state": "not_running",
            **_since(_unix(unit.get("StateChangeTimestamp", ""))),
            "reason": f"{reason}; `journalctl -u {UNIT}` tells more, `systemctl start {UNIT}` starts it",
        }
    try:
        ended = path.lstat().st_ctime
    except OSError:
        ended = None
    reason = "it was never started here" if ended is None else "it ended, or died"
    return {
        "state": "not_running",
        **_since(ended),
        "reason": f"{reason}; `intercom run` starts it",
    }


def not_answering(path: Path, error: NotAnsweringError) -> dict[str, Any]:
    """Return a status document for a service that hangs."""
    file = _beating(path)
    reason = str(error)
    if error.pid is not None and (state := _process_state(error.pid)):
        reason = f"{reason}: {state}"
    return {
        "state": "not_answering",
        **_since(None if file is None else file.st_ctime),
        "pid": error.pid,
        "reason": reason,
    }


def _beating(path: Path) -> os.stat_result | None:
    """Return the socket's file status, which holds the last heartbeat by two clocks; None if there is no heartbeat."""
    if not path.is_relative_to(IN_MEMORY):
        return None
    try:
        return path.lstat()
    except OSError:
        return None


def _process_state(pid: int) -> str:
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "it is gone"
    letter = text.rpartition(")")[2].split()[0]
    return _PROCESS_STATES.get(letter, "")


def _since(seconds: float | None) -> dict[str, Any]:
    """Return a time for scripts and people, and its age."""
    if seconds is None:
        return {"since": None, "lasted_s": None}
    text = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(seconds))
    return {"since": text, "lasted_s": round(max(0.0, time.time() - seconds), 1)}


def _unix(text: str) -> float | None:
    """Parse the seconds in the output of `systemctl --timestamp=unix`, such as "@1764077536"."""
    number = text.removeprefix("@")
    return float(number) if number.isascii() and number.isdigit() else None


def _unit() -> dict[str, str]:
    if not Path(SYSTEMD_RUNS).is_dir():
        return {}
    import subprocess

    names = "LoadState,ActiveState,SubState,Result,StateChangeTimestamp"
    try:
        out = subprocess.run(  # noqa: S603 - nothing in it comes from outside
            ["systemctl", "show", UNIT, "--timestamp=unix", f"--property={names}"],  # noqa: S607 - systemd's own place differs by system
            capture_output=True,
            text=True,
            timeout=SYSTEMCTL_S,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)
