"""What Python compiles when the package is installed, compiled here: the machine would take five minutes for it."""

from __future__ import annotations

import tarfile
from pathlib import Path
from tempfile import TemporaryDirectory

from deb.environment import PLACE
from intercom.service import bytecode

from .debian import TARGET, run
from .libraries import PYTHON


def compiled(package: Path, archive: Path) -> None:
    """Archive it to lie beside the package's files; nothing, and the machine compiles, where this Python is another."""
    with TemporaryDirectory(prefix="compiled-") as tree, tarfile.open(archive, "w") as packed:
        if TARGET.suite.python == PYTHON:
            run("dpkg-deb", "--extract", str(package), tree)
            # The installation compiles no more: what else were here would outlive the purge.
            lib = Path(PLACE, "lib")
            bytecode.compile_tree(tree / lib, place="/" / lib)
        for folder in Path(tree).rglob("__pycache__"):
            packed.add(folder, str(folder.relative_to(tree)))
