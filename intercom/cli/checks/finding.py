"""A finding of `intercom doctor`."""

from __future__ import annotations

from typing import NamedTuple

GOOD, WARNING, BAD = "good", "warning", "bad"


class Finding(NamedTuple):
    """One result of the examination."""

    what: str
    """Subject of the finding."""
    verdict: str
    """Verdict: good, warning or bad."""
    told: str
    """Result in words."""
    mend: str = ""
    """Remedy in words."""
