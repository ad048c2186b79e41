"""Compiles C for a target: with Debian's cross compiler and the target's own headers where that is another machine."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
import tomllib
from pathlib import Path

from deb.cache import cache
from deb.lock import ROOT
from deb.mirror import debian_mirror
from deb.target import BuildError, Target

HEADERS = ("libasound2-dev", "libc6-dev", "libpython3-dev")
HARDENED = ("-s", "-Wl,-z,relro,-z,now", "-fstack-protector-strong")


def compile_module(target: Target, module: Path, *words: object) -> None:
    """Compile a module of Python's from the sources among `words`, which go to the compiler as they are."""
    root = Path("/") if target.is_this_machine else _headers(target)
    include = f"usr/include/{{}}python{target.suite.python}"
    run(
        *(_compiler(target), f"--sysroot={root}", "-shared", "-fPIC", "-O2", "-DNDEBUG", *HARDENED),
        *(f"-I{root / include.format(prefix)}" for prefix in ("", f"{target.processor.triplet}/")),
        *(*words, "-o", module),
        saying=f"{module.name} could not be compiled",
    )


def compile_own(target: Target, tree: Path) -> None:
    """Compile the program's own modules, as pyproject.toml describes them, into `tree`, which has the package."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        described = tomllib.load(file)["tool"]["setuptools"]["ext-modules"]
    for one in described:
        place = tree / one["name"].replace(".", "/")
        limited = (f"-D{name}={value}" for name, value in one["define-macros"])
        sources = (ROOT / source for source in one["sources"])
        libraries = (f"-l{name}" for name in one["libraries"])  # behind what asks for them
        words = (*limited, *one["extra-compile-args"], *sources, *libraries)
        compile_module(target, place.with_suffix(".abi3.so"), *words)


def run(*command: object, saying: str) -> None:
    """Run a command; BuildError says what it said last when it fails."""
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BuildError(f"{saying}: {done.stderr.strip()[-800:]}")


def _compiler(target: Target) -> str:
    name = f"{target.processor.triplet}-gcc"
    if shutil.which(name) is None:
        # gcc-aarch64-linux-gnu, and gcc-x86-64-linux-gnu for the other
        package = f"gcc-{target.processor.triplet.replace('_', '-')}"
        raise BuildError(f"there is no compiler for {target.processor.name}: apt install {package}")
    return name


def _headers(target: Target) -> Path:
    """The target's headers and libraries, made when they are not cached: Debian's packages, unpacked, not installed."""
    key = hashlib.sha256("\n".join((*HEADERS, Path(__file__).read_text())).encode()).hexdigest()[:12]
    kept = cache() / f"deb-headers-{target.suite.name}-{target.processor.name}-{key}"
    if kept.is_dir():
        return kept
    if shutil.which("mmdebstrap") is None:
        raise BuildError("what another Debian is made of is fetched with mmdebstrap: apt install mmdebstrap")
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="headers-", dir=cache()) as work:
        root, archive = Path(work) / "root", Path(work) / "root.tar"
        saying = f"the headers of {target.suite.name} could not be fetched"
        # As an archive: who is not root gives mmdebstrap other user ids, and to those a home is closed.
        run(
            *("mmdebstrap", "--quiet", "--variant=extract", f"--architectures={target.processor.name}"),
            *(f"--include={','.join(HEADERS)}", target.suite.name, archive, debian_mirror()),
            saying=saying,
        )
        root.mkdir()
        unpack = ("tar", "--extract", f"--file={archive}", f"--directory={root}", "--exclude=./dev/*")
        run(*unpack, "--exclude=./usr/share/*", saying=saying)
        for name in ("lib", "lib64"):  # which the package of the base system would link
            if not (root / name).exists():
                (root / name).symlink_to(f"usr/{name}")
        for link in (root / "usr/lib").rglob("*.so"):  # one from the root would lead to this machine's library
            if link.is_symlink() and (library := link.readlink()).is_absolute():
                link.unlink()
                link.symlink_to(os.path.relpath(root / library.relative_to("/"), link.parent))
        try:
            root.rename(kept)
        except OSError:
            if not kept.is_dir():  # made meanwhile by another build
                raise
    return kept
