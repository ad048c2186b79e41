"""Tells how a story goes, step by step, and ends it at the first that fails."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from tests.hardware.guest import GuestError

FAILURES = (AssertionError, GuestError, TimeoutError, ValueError)
"""How a step fails: what it saw is not what it should be, a script failed, or was answered with nonsense."""


def tell(
    steps: Mapping[str, Callable[[], str]], journal: Callable[[], str], clock: Callable[[], float] = time.monotonic
) -> int:
    """Take the steps, each named by what it shows; return 0, or 1 after one that failed, with the machine's journal.

    A step returns what is worth telling besides, and fails with one of `FAILURES`.
    """
    whole = clock()
    for what, step in steps.items():
        began = clock()
        try:
            worth = step()
        except FAILURES as error:
            print(f"FAILED  {what}\n{error}\n{journal()}", flush=True)
            return 1
        told = f": {worth.strip()}" if worth else ""
        print(f"ok  {what} ({clock() - began:.0f} s here){told}", flush=True)
    print(f"All {len(steps)} steps, {(clock() - whole) / 60:.0f} minutes here.")
    return 0
