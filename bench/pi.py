"""Instructions of a call on a Raspberry Pi's processor, per thread and per part, counted on an emulated aarch64.

The machine is QEMU's with `-icount`: one instruction takes one nanosecond of its clock. Real time holds there by
definition, and what is counted does not depend on what else this machine does. Beside the door stand stock aiortc and
libwebrtc, counted in the same boot. `python -m bench.pi parts` or `… plain av` tells some of it, line by line.
"""

from __future__ import annotations

import asyncio
import json
import pickle
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.report import CannotRunError, Report, machine
from bench.video_cost import VIDEO, Film
from tests.arm import bare
from tests.arm.board import PYTHON, Board
from tests.hardware.guest import SHARED, GuestError
from tests.hardware.kernel import UnavailableError

PEERS = ("aiortc", "libwebrtc")
CASES = ("idle", "camera_on", "plain", "audio", "silent", "av", "syscalls", "status", "door_off", *PEERS)
PARTS = "parts"
FILMED = {"av", "syscalls", "camera_on"}
LIMIT_S = 600.0
"""Of the machine's own time; all cases together take a quarter of it."""
LOOK_AGAIN_S = 0.5
TARGETS = {
    "av_minsn": 140,
    "av_sound_minsn": 115,
    "av_loop_minsn": 20,
    "plain_minsn": 60,
    "canceller_far_silent_minsn": 15,
    "idle_rss_mb": 50,
    "av_rss_mb": 75,
    "start_minsn": 1300,
    "status_minsn": 150,
    "door_off_minsn": 120,
    "syscalls": 400,
}


@dataclass(frozen=True)
class Core:
    """A processor of a Pi, and how many instructions a clock it is assumed to do of sound and of Python."""

    name: str
    board: str
    ghz: float
    sound: tuple[float, float]
    python: tuple[float, float]

    def share(self, figures: dict[str, float], end: int) -> float:
        """Share of one core that a call with picture takes, at the lower (0) or upper (1) end of what is assumed."""
        python = figures["av_minsn"] - figures["av_sound_minsn"]
        return (figures["av_sound_minsn"] / self.sound[end] + python / self.python[end]) / self.ghz / 1000


CORES = (
    Core("a53", "Zero 2 W", 1.0, (0.6, 0.8), (0.4, 0.5)),
    Core("a72", "Pi 4", 1.8, (1.2, 1.6), (0.8, 1.0)),
    Core("a76", "Pi 5", 2.4, (1.8, 2.4), (1.4, 1.8)),
)


def counted(board: Board, cases: list[str]) -> Iterator[dict[str, Any]]:
    """Count the cases, and the parts if they are among them; yield each line as soon as it is known."""
    if FILMED & set(cases):
        (board.shared / "film").write_bytes(pickle.dumps(Film(VIDEO).units))
    calls = [case for case in cases if case != PARTS]
    modules = [f"bench._pi_inside {SHARED}/film {' '.join(calls)}"] if calls else []
    modules += ["bench._pi_parts"] if PARTS in cases else []
    for module in modules:
        script = f"cd /checkout && PYTHONPATH=/checkout PYTHONUNBUFFERED=1 exec {PYTHON} -m {module}"
        yield from _lines(board, board.start(script, limit_s=LIMIT_S))


def _lines(board: Board, running: str) -> Iterator[dict[str, Any]]:
    told = 0
    going = True
    while going:
        going = board.waits_for(running, LOOK_AGAIN_S)
        lines = board.output(running).rpartition("\n")[0].splitlines()
        for line in lines[told:]:
            if line.startswith("{"):
                yield json.loads(line)
        told = len(lines)
    board.result(running, limit_s=LIMIT_S).check()


def count(cases: list[str], tell: Callable[[dict[str, Any]], None] = lambda line: None) -> dict[str, float]:
    """Boot the machine and count; every figure by its name. CannotRunError says what is missing here."""
    figures: dict[str, float] = {}
    try:
        with Board(bare.system(), counted=True) as board:
            for line in counted(board, cases):
                tell(line)
                name = line.get("case")
                for key, value in line.items():
                    if isinstance(value, float | int):
                        figures[f"{name}_{key}" if name else f"{line['part']}_{key}"] = float(value)
    except (UnavailableError, GuestError) as reason:
        raise CannotRunError(str(reason)) from reason
    return figures


async def run() -> Report:
    """Count everything in one boot."""
    return report(await asyncio.to_thread(count, [*CASES, PARTS]))


def report(found: dict[str, float]) -> Report:
    """The report of all that was counted."""
    calls = {f"{case}_{kind}": found[f"{case}_{kind}"] for case in ("av", "audio", "plain", "silent") for kind in KINDS}
    ours = calls | {
        "idle_minsn": found["idle_minsn"],
        "idle_rss_mb": found["idle_rss_mb"],
        "idle_own_mb": found["idle_own_mb"],
        "camera_on_minsn": found["camera_on_minsn"],
        "plain_rss_mb": found["plain_rss_mb"],
        "av_rss_mb": found["av_rss_mb"],
        "av_wake_ups": found["av_wake_ups"],
        "syscalls": found["syscalls_syscalls"],
        "start_minsn": found["idle_registered_minsn"],
        "status_minsn": found["status_minsn"],
        "door_off_minsn": found["door_off_minsn"],
    }
    seen = {f"{case}_" for case in CASES}
    ours |= {name: value for name, value in found.items() if not any(name.startswith(case) for case in seen)}
    for core in CORES:
        ours |= {f"{core.name}_core_{end}": core.share(found, n) for n, end in enumerate(("at_most", "at_least"))}
    return Report(
        "pi",
        {name: round(value, 3) for name, value in ours.items()},
        TARGETS,
        {f"{peer}_plain_minsn": round(found[f"{peer}_minsn"], 1) for peer in PEERS}
        | {f"{peer}_plain_rss_mb": round(found[f"{peer}_rss_mb"], 1) for peer in PEERS},
        machine=f"QEMU's Cortex-A53 with -icount, on {machine()}",
        notes=NOTES,
    )


KINDS = ("minsn", "sound_minsn", "loop_minsn")
NOTES = (
    "minsn: million instructions, of a call those of one second, in the program and in the kernel for it; start: until "
    "registered; status, door_off: the whole command. Two boots differ by about 1 %, however busy the host is.",
    "av: sound both ways, canceller, 720p25 from the camera's encoder; audio: without picture; plain: without picture "
    "and canceller; silent: audio while the far end is silent. sound: the audio thread; loop: the event loop. "
    "The resident sends and takes redundant audio, as Chrome does.",
    "rss: with what the door has in memory of files; own: what is in no file, and cannot be read again.",
    "camera_on: at rest, with a camera that is always on and encodes for itself.",
    "canceller and what follows it are parts run alone on speech. syscalls: a second of av, counted by strace.",
    "a53, a72, a76: share of one core for av, an estimate from assumed instructions a clock, of sound and of the rest: "
    + "; ".join(
        f"{core.name} ({core.board}, {core.ghz:g} GHz) {core.sound[0]:g} to {core.sound[1]:g} and "
        f"{core.python[0]:g} to {core.python[1]:g}"
        for core in CORES
    )
    + ".",
    "aiortc and libwebrtc (wrtc): the process of one end of a call, sound alone, with no card, canceller or service.",
)


if __name__ == "__main__":
    unknown = set(sys.argv[1:]) - {*CASES, PARTS}
    if unknown or not sys.argv[1:]:
        sys.exit(f"{Path(sys.argv[0]).stem}: name some of {', '.join([*CASES, PARTS])}")
    count(sys.argv[1:], lambda line: print(json.dumps(line), flush=True))
