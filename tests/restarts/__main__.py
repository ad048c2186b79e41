"""Restart door, space and page in many orders: `make restarts`; `python -m tests.restarts [--times N] [--seed N]`."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.restarts.house import House, restart
from tests.restarts.orders import drawn


async def run(times: int, seed: int) -> int:
    """Carry out so many orders; return how many went wrong."""
    failed = 0
    with tempfile.TemporaryDirectory(prefix="restarts-") as directory:
        house = House(Path(directory))
        try:
            await house.begin()
            for number, order in enumerate(drawn(times, seed), start=1):
                try:
                    await restart(house, order.state, order.parties)
                except AssertionError as problem:
                    failed += 1
                    print(f"{number:4}  {order}: FAILED: {problem}", flush=True)
                    await house.mend()
                else:
                    print(f"{number:4}  {order}", flush=True)
        finally:
            await house.end()
    print(f"{times} restarts with seed {seed}: {failed} went wrong; {house.presses} presses.")
    return failed


def main() -> int:
    """Run it; the exit status is 1 when anything went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.restarts", description=__doc__)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    return 1 if asyncio.run(run(options.times, options.seed)) else 0


if __name__ == "__main__":
    sys.exit(main())
