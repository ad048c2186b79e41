"""`python -m tests.hardware.chaos [--minutes 15] [--seed N]`: a chaos run in a guest; status 1: it found something.

Everything it did and found is printed as it happens; the same seed does the same again. The door's log is kept.
"""

from __future__ import annotations

import argparse
import compileall
import shlex
import shutil
import sys
import time
from pathlib import Path

from tests.hardware.conftest import CARDS
from tests.hardware.guest import CHECKOUT, SHARED, Guest
from tests.hardware.kernel import UnavailableError

DOOR_LOG = "chaos-door.log"
LOG = CHECKOUT / "var" / DOOR_LOG
SLACK_S = 480.0
"""Beyond the run itself: the start, the last recovery, the end."""
LOOK_S = 0.5


def run(minutes: float, seed: int, *, log: Path) -> int:
    """Boot a guest and run chaos in it; the exit status. Raises `UnavailableError` where this machine has no guest."""
    for folder in ("intercom", "tests"):  # which the guest itself could not write, and would compile every time
        compileall.compile_dir(CHECKOUT / folder, quiet=1)
    command = shlex.join(
        [sys.executable, "-m", f"{__package__}.inside", str(minutes), str(seed), str(SHARED / DOOR_LOG)]
    )
    limit_s = 60 * minutes + SLACK_S
    with Guest(arguments=CARDS) as guest:
        name = guest.start(f"PYTHONDONTWRITEBYTECODE=1 exec {command}", limit_s=limit_s)
        said = 0
        while guest.running(name):
            said = _pass_on(guest.output(name), said)
            time.sleep(LOOK_S)
        result = guest.result(name, limit_s=1.0)
        _pass_on(result.output, said)
        if (guest.shared / DOOR_LOG).exists():
            log.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(guest.shared / DOOR_LOG, log)
        return result.status


def _pass_on(output: str, said: int) -> int:
    print(output[said:], end="", flush=True)
    return len(output)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.hardware.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--seed", type=int, default=None, help="default: a new one, which is printed")
    parser.add_argument("--log", type=Path, default=LOG, help="where the door's log is kept")
    options = parser.parse_args()
    seed = time.time_ns() // 1_000_000 % 1_000_000 if options.seed is None else options.seed
    print(f"chaos for {options.minutes:g} minutes, seed {seed}", flush=True)
    try:
        status = run(options.minutes, seed, log=options.log)
    except UnavailableError as reason:
        print(f"chaos: {reason}", file=sys.stderr)
        return 2
    print(f"the door's log: {options.log}; again: make chaos MINUTES={options.minutes:g} SEED={seed}")
    return status


if __name__ == "__main__":
    sys.exit(main())
