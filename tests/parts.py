"""The parts that `make test PART=NAME` knows: a folder of tests each, and `door` for the tests beside the folders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
DOOR = "door"
"""The part that joins all others: its tests lie in no folder of their own."""
TEST_FILES = "test_*.py"


def parts(tests: Path) -> dict[str, list[Path]]:
    """Return the files and folders of each part's tests, by the part's name."""
    found = {DOOR: sorted(tests.glob(TEST_FILES))}
    for folder in sorted(path for path in tests.iterdir() if path.is_dir()):
        if next(folder.rglob(TEST_FILES), None) is not None:
            found.setdefault(folder.name, []).append(folder)
    return found


def listing(known: Mapping[str, Sequence[Path]]) -> Iterable[str]:
    """Yield a line for each part: its name, and where its tests are."""
    for name, paths in known.items():
        where = [path for path in paths if path.is_dir()] or [ROOT / "tests" / TEST_FILES]
        yield f"  {name:12}{', '.join(str(path.relative_to(ROOT)) for path in where)}"
