"""The package's environment and Debian's Python for arm64, each program of it run by qemu-user: no machine, no root.

What it can tell is whether the program loads and runs on a Pi's processor. Real time does not hold.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from pathlib import Path

from deb.environment import PLACE, lay_environment
from deb.target import BuildError
from tests.hardware.kernel import UnavailableError

from .debian import TARGET, require, unpacked

QEMU = "qemu-aarch64-static"
PACKAGES = ("libasound2", "libopus0", "libspeexdsp1", "libstdc++6", "python3")
ALSA_SETTINGS = "etc/alsa/conf.d"


def root() -> Path:
    """Return a folder like a Pi's root: a program in emulation finds there what it looks for in `/`.

    What the folder does not have, the emulator looks for on the host. The host's settings of ALSA name plugins that are
    not for aarch64, and no PCM opens with one that cannot be loaded: the folder's own are there, and empty.
    """
    laid = unpacked(*PACKAGES)
    (laid / ALSA_SETTINGS).mkdir(parents=True, exist_ok=True)
    return laid


class Emulated:
    """A folder like a Pi's root; `UnavailableError` where it cannot be made here."""

    def __init__(self, folder: Path) -> None:
        require((QEMU, "qemu-user-static"), ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"))
        self._root = root()
        self._tree = folder / "tree"
        try:
            lay_environment(TARGET, self._tree)
        except BuildError as error:
            raise UnavailableError(str(error)) from error
        self.site = self._tree / PLACE / f"lib/python{TARGET.suite.python}/site-packages"
        if TARGET.suite.python == f"{sys.version_info.major}.{sys.version_info.minor}":
            compileall.compile_dir(self.site, quiet=2)  # in emulation it takes four times as long

    def python(self, *words: str, limit_s: float, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the package's Python with these arguments, in an environment that has these variables besides."""
        return subprocess.run(
            [QEMU, "-L", str(self._root), str(self._root / f"usr/bin/python{TARGET.suite.python}"), *words],
            cwd=self._tree,  # Python looks for modules where it is started, and that shall not be the checkout
            env={"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "PYTHONPATH": str(self.site)} | environment,
            capture_output=True,
            text=True,
            timeout=limit_s,
            check=False,
        )
