"""What git tells of the commit that a package is built from: its version and its time."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

from intercom import __version__


def package_version(checkout: Path, version: str = __version__) -> str:
    """Return the version of a package that is built from this checkout.

    It is the program's own for the commit that bears its tag, and where there is no git. Any other commit is newer than
    that version: its time is appended, so that each build is an upgrade of the build before it, and "git" sorts after
    the "deb" of a release.
    """
    commit = _git(checkout, "rev-parse", "--short=9", "HEAD")
    if not commit or f"v{version}" in _git(checkout, "tag", "--points-at", "HEAD").split():
        return version
    return f"{version}+git{datetime.fromtimestamp(last_change(checkout), UTC):%Y%m%d.%H%M%S}.{commit}"


def last_change(checkout: Path) -> int:
    """Return when the checkout was last committed to, so that the same commit makes the same package; in s."""
    said = _git(checkout, "log", "-1", "--format=%ct")
    return int(said) if re.fullmatch(r"\d+", said) else int((checkout / "pyproject.toml").stat().st_mtime)


def _git(checkout: Path, *words: str) -> str:
    """Return what git says; nothing where there is no git or no repository."""
    try:
        asked = subprocess.run(["git", "-C", checkout, *words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""
