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
    """Build the package, boot, and go through the story."""
    with TemporaryDirectory(prefix="intercom-arm-") as folder:
        try:
            system = whole.system()
            package = build(TARGET, Path(folder), compression="none")
            beside = Path(folder, "compiled.tar")
            compiled(package, beside)
            with Board(system, counted=True) as board:
                for file in (package, beside):
                    shutil.move(file, board.shared)
                story = Story(board, package.name, beside.name)
                return tell(story.steps(), story.journal)
        except (BuildError, UnavailableError, GuestError) as reason:
            print(f"make arm: {reason}", file=sys.stderr)
            return 1


if __name__ == "__main__":
    sys.exit(main())
