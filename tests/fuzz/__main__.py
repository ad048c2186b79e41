"""`python -m tests.fuzz --minutes 10 [--seed N] [--only TARGET]`: fuzz everything that reads what others send.

Findings are printed and kept in tests/fuzz/corpus, from where the tests feed them again. Exit status 1 with findings.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor

from tests.fuzz.run import feed_for, keep
from tests.fuzz.targets import BY_NAME, TARGETS


def main() -> int:
    """Run all targets side by side, as many at once as there are processors."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="how long in all (default: 10)")
    parser.add_argument(
        "--seed", type=int, default=None, help="the same seed makes the same inputs (default: the time)"
    )
    parser.add_argument("--only", choices=sorted(BY_NAME), help="one target alone")
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns() % 10**9
    names = [options.only] if options.only else [target.name for target in TARGETS]
    workers = min(os.cpu_count() or 1, len(names))
    seconds = options.minutes * 60 * workers / len(names)
    print(f"seed {seed}; {len(names)} targets, {seconds:.0f} s each, {workers} at once")
    with ProcessPoolExecutor(workers, max_tasks_per_child=1) as pool:
        reports = list(pool.map(feed_for, names, [seed] * len(names), [seconds] * len(names)))
    for report in reports:
        print(f"{report.name:<14} {report.inputs:>11,} inputs  {report.grown_kb / 1024:>6.1f} MB grown", end="")
        print(f"  {len(report.findings)} findings" if report.findings else "")
        for where, data in report.findings.items():
            print(f"    {where}\n    {keep(report.name, data) if data else ''}")
    found = sum(len(report.findings) for report in reports)
    print(f"{sum(report.inputs for report in reports):,} inputs, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    raise SystemExit(main())
