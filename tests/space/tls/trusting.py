"""A browser's certificate database in which the house's CA is trusted, as after the steps of the page /trust."""

from __future__ import annotations

import subprocess
from pathlib import Path


def trusting(state_dir: Path) -> Path:
    """Return the folder of a new database that trusts the CA in a space's state directory."""
    folder = state_dir / "nssdb"
    folder.mkdir()
    for command in (["-N", "--empty-password"], ["-A", "-n", "house", "-t", "C,,", "-i", str(state_dir / "ca.crt")]):
        subprocess.run(["certutil", "-d", f"sql:{folder}", *command], check=True, capture_output=True, timeout=60)
    return folder
