"""Where the build keeps what it fetched and compiled."""

from __future__ import annotations

import os
from pathlib import Path


def cache() -> Path:
    """The directory that keeps what was fetched and compiled; it is outside the checkout and may be deleted at will."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("INTERCOM_CACHE") or Path(root) / "intercom")
