"""`make arm`: the .deb for arm64 on an emulated machine, from installation to purge; then a Raspberry Pi's pins.

The machines are QEMU's with one nanosecond to an instruction, so that sound is in time on any host; what a step says it
took is that machine's time, of a core of 1 GHz that does one instruction a clock. `python -m tests.arm pi` boots the
Pi alone.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deb.__main__ import build
from deb.target import BuildError
from tests.hardware.guest import GuestError
from tests.hardware.kernel import UnavailableError

from . import whole
from .board import Board
from .compiled import compiled
from .debian import TARGET
from .pi import Pi
from .pi_story import PiStory
from .story import Story
from .telling import tell


def package() -> int:
    """Build two versions of the package, boot, and go through its life."""
    with TemporaryDirectory(prefix="intercom-arm-") as folder:
        system = whole.system()
        old, new = (build(TARGET, Path(folder), version=each, compression="none") for each in ("1", "2"))
        beside = Path(folder, "compiled.tar")
        compiled(old, beside)
        with Board(system, counted=True) as board:
            for file in (old, new, beside):
                shutil.move(file, board.shared)
            story = Story(board, old.name, new.name, beside.name)
            return tell(story.steps(), story.journal)


def pi() -> int:
    """Boot a Raspberry Pi, and look at its pins from outside."""
    with Pi() as board:
        story = PiStory(board)
        return tell(story.steps(), story.journal)


MACHINES = {"package": package, "pi": pi}


def main(wanted: list[str]) -> int:
    """Go through the stories of these machines, or of all, to the first that fails."""
    try:
        return int(any(MACHINES[each]() for each in wanted or MACHINES))
    except (BuildError, UnavailableError, GuestError) as reason:
        print(f"make arm: {reason}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
