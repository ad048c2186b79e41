"""`make arm`: the .deb for arm64 on a machine of its own, from its installation to its purge.

The machine is QEMU's with one nanosecond to an instruction, so that sound is in time on any host; what a step says it
took is that machine's time, of a core of 1 GHz that does one instruction a clock.
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
from .story import Story
from .telling import tell


def main() -> int:
    """Build both packages, boot, and go through the story."""
    with TemporaryDirectory(prefix="intercom-arm-") as folder:
        try:
            system = whole.system()
            old, new = (build(TARGET, Path(folder), version=each, compression="none") for each in ("1", "2"))
            beside = Path(folder, "compiled.tar")
            compiled(old, beside)
            with Board(system, counted=True) as board:
                for file in (old, new, beside):
                    shutil.move(file, board.shared)
                story = Story(board, old.name, new.name, beside.name)
                return tell(story.steps(), story.journal)
        except (BuildError, UnavailableError, GuestError) as reason:
            print(f"make arm: {reason}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
