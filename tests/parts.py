"""The parts that `make test PART=NAME` knows: a folder of tests each, and `project` for the tests beside them.

All parts together run in five shares, side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
PROJECT = "project"
"""The pages, the checks and the tests themselves: what lies in no folder of its own."""
TEST_FILES = "test_*.py"
GUESTS = ("hardware",)
"""The part that boots kernels, which go before everything else on one processor."""
PAGE = ("station", "deb")
"""The page, which waits for browsers; then the packages."""
LIVE = ("e2e", "integrations", "media", "network", "reference", "restarts")
"""The parts with sound and pictures that have to be in time."""
HOUSE = ("security", "signalwire", "space")
"""The space, its clients and its attackers, who mostly wait: for floods, for limits and for what must not come."""
UNHURRIED = ("page", "house", "rest")
"""The shares that others go before."""


def parts(tests: Path) -> dict[str, list[Path]]:
    """Return the files and folders of each part's tests, by the part's name."""
    found = {PROJECT: sorted(tests.glob(TEST_FILES))}
    for folder in sorted(path for path in tests.iterdir() if path.is_dir()):
        if next(folder.rglob(TEST_FILES), None) is not None:
            found.setdefault(folder.name, []).append(folder)
    return found


def in_shares(known: Mapping[str, Sequence[Path]]) -> dict[str, list[str]]:
    """Return the arguments of each share's pytest; all end at about the same time."""
    rest = [name for name in known if name not in (*GUESTS, *PAGE, *HOUSE, *LIVE)]
    shares = {"guests": GUESTS, "page": PAGE, "house": HOUSE, "rest": rest, "live": LIVE}
    return {share: [str(path) for name in names for path in known[name]] for share, names in shares.items()}


def listing(known: Mapping[str, Sequence[Path]]) -> Iterable[str]:
    """Yield a line for each part: its name, and where its tests are."""
    for name, paths in known.items():
        where = [path for path in paths if path.is_dir()] or [ROOT / "tests" / TEST_FILES]
        yield f"  {name:13}{', '.join(str(path.relative_to(ROOT)) for path in where)}"
