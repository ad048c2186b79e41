"""Debian's packages for arm64, unpacked and not set up: no root, no emulation, half a minute."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

from deb.mirror import debian_mirror
from deb.target import target
from tests.hardware.kernel import UnavailableError, alone, cache

SUITE = "bookworm"
TARGET = target(SUITE, "arm64")
LIMIT_S = 15 * 60
"""Of one command; the longest takes half a minute on an idle machine."""


def require(*programs: tuple[str, str]) -> None:
    """Raise `UnavailableError` unless these programs are here; beside each is the package that brings it."""
    if absent := [package for program, package in programs if shutil.which(program) is None]:
        raise UnavailableError(f"running programs for arm64 needs packages: apt-get install {' '.join(absent)}")


def unpacked(*packages: str) -> Path:
    """Return the folder of these packages and what they depend on; it is kept in the cache."""
    require(("mmdebstrap", "mmdebstrap"))
    kept = cache() / f"arm64-{key(SUITE, *packages)}"
    with alone("arm64"):
        if not kept.exists():
            with TemporaryDirectory(prefix="arm64-", dir=cache()) as work:
                root, archive = Path(work, "root"), Path(work, "root.tar")
                root.mkdir()
                options = ("--quiet", "--variant=extract", "--architectures=arm64", f"--include={','.join(packages)}")
                run("nice", "mmdebstrap", *options, SUITE, str(archive), debian_mirror())
                # As an archive: who is not root gives mmdebstrap other user ids, and to those a home is closed.
                run("tar", "--extract", f"--file={archive}", f"--directory={root}", "--exclude=./dev/*")
                root.rename(kept)
    return kept


def key(*made_of: str) -> str:
    """Return a name for what is made of these texts."""
    return hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]


def disk(tree: Path, file: Path, size: str) -> None:
    """Make a disk of this size, sparse, with what is in a folder."""
    run("nice", "mke2fs", "-q", "-t", "ext4", "-E", "root_owner=0:0", "-d", str(tree), str(file), size)


def run(*command: str, limit_s: float = LIMIT_S, **environment: str) -> None:
    """Run a command with these variables besides; `UnavailableError` with what it said when it fails."""
    variables = {**os.environ, **environment}
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit_s, check=False, env=variables)
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"{command[0]} takes more than {limit_s / 60:.0f} minutes here") from late
    if done.returncode:
        raise UnavailableError(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-800:]}")
