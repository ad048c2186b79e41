"""The disks beside a machine's system: the package's libraries with a Python of their own, and the checkout.

The libraries' is kept in the cache under a name made of the lock files; the checkout's is made anew for each machine.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from deb.environment import PLACE, lay_environment, lay_program
from deb.lock import ROOT, locked, requirements
from deb.target import BuildError
from intercom.service import bytecode
from tests.hardware.kernel import UnavailableError, alone, cache

from .debian import TARGET, disk, key, run

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
COMPILED_BY = Path(bytecode.__file__).read_text(encoding="utf-8")
"""Part of the name of what is kept compiled."""
BESIDE = ("iniconfig", "lgpio", "packaging", "pluggy", "pygments", "pytest", "wrtc")
"""Of requirements-bench.lock: what is the system's on a Raspberry Pi, what the tests' own parts import, and what the
bench measures beside."""
SITE = f"{PLACE}/lib/python{TARGET.suite.python}/site-packages"


def libraries() -> Path:
    """Return the disk of the package's libraries and of what the bench measures beside them, compiled."""
    bench_lock = (ROOT / "requirements-bench.lock").read_text(encoding="utf-8")
    beside = "".join(
        f"{wanted.name}{wanted.specifier} {' '.join(f'--hash={known}' for known in hashes)}\n"
        for wanted, hashes in requirements(bench_lock)
        if wanted.name in BESIDE
    )
    made_of = "".join(one.line for one in locked(TARGET)) + beside + PYTHON + COMPILED_BY
    kept = cache() / f"arm64-libraries-{key(made_of)}.ext4"
    with alone("arm64-libraries"):
        if not kept.exists():
            with TemporaryDirectory(prefix="libraries-", dir=cache()) as work:
                _make_libraries(Path(work), beside).rename(kept)
    return kept


def checkout(into: Path) -> Path:
    """Make a disk with the program, its tests and its benches as they are in this checkout."""
    tree, made = into / "checkout", into / "checkout.ext4"
    tree.mkdir()
    try:
        lay_program(TARGET, tree)
    except BuildError as error:
        raise UnavailableError(str(error)) from error
    for folder in ("bench", "tests"):
        shutil.copytree(ROOT / folder, tree / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tree)
    compile_tree(tree)
    disk(tree, made, "300M")
    shutil.rmtree(tree)
    return made


def lay_libraries(work: Path, beside: str) -> Path:
    """Lay the package's libraries without the program, and the wheels of these lines of a lock; return their folder."""
    tree, wheels = work / "tree", work / "beside.txt"
    wheels.write_text(beside)
    try:
        lay_environment(TARGET, tree)
    except BuildError as error:
        raise UnavailableError(str(error)) from error
    site = tree / SITE
    shutil.rmtree(site / "intercom")
    run(
        *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"),
        *("--target", str(site), "--no-compile", "--only-binary", ":all:", "--implementation", "cp"),
        *("--python-version", TARGET.suite.python, "--abi", TARGET.suite.abi, "--abi", "abi3", "--abi", "none"),
        *(word for name in TARGET.wheel_platforms for word in ("--platform", name)),
        *("--require-hashes", "--requirement", str(wheels)),
    )
    compile_tree(site)
    return site


def compile_tree(tree: Path) -> None:
    """Compile the Python in a folder as an installation does, for a target that takes it whatever the source's time.

    A target of another Python compiles for itself, each time.
    """
    if TARGET.suite.python == PYTHON:
        bytecode.compile_tree(tree, unchecked=True)


def _make_libraries(work: Path, beside: str) -> Path:
    lay_libraries(work, beside)
    made = work / "disk"
    disk(work / "tree" / PLACE, made, "1500M")
    return made
