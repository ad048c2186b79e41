"""The Python environment of the package: /opt/intercom with every library, for a machine that need not be this one.

What it holds is what requirements.lock pins, of those hashes. Wheels are taken as they are. pyalsaaudio has none: its
one C file is compiled here, and so is the C of the program itself.
"""

from __future__ import annotations

import email
import email.message
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

# pip's own copy: an environment that can install can judge what it installed.
from pip._vendor.packaging.requirements import Requirement
from pip._vendor.packaging.utils import canonicalize_name

from deb.cache import cache
from deb.compiler import compile_module, compile_own, run
from deb.lock import LOCK, ROOT, environment, locked
from deb.target import BuildError, Target

FROM_SOURCE = "pyalsaaudio"
PLACE = "opt/intercom"
BROUGHT = {
    "libasound.so.2": "libasound2",
    "libdl.so.2": "libc6",
    "libgcc_s.so.1": "libgcc-s1",
    "libm.so.6": "libc6",
    "libmvec.so.1": "libc6",
    "libc.so.6": "libc6",
    "libpthread.so.0": "libc6",
    "librt.so.1": "libc6",
    "libstdc++.so.6": "libstdc++6",
    "libz.so.1": "zlib1g",
}
"""The libraries that the compiled modules may ask the system for, and the packages (in `Depends:`) that bring them."""
LAUNCHER = """#!/opt/intercom/bin/python3
import sys

from intercom.cli.fast_status import main

sys.exit(main())
"""
"""The command of the package: the same function as pip's, which runs `status` and `door-off` before any parser."""


def lay_environment(target: Target, tree: Path) -> None:
    """Lay the environment under `tree`/opt/intercom, with the program in it."""
    place = tree / PLACE
    site = place / f"lib/python{target.suite.python}/site-packages"
    shutil.copytree(_libraries(target), site, symlinks=True)
    lay_program(target, site)
    _check_compiled(site)
    programs = place / "bin"
    programs.mkdir()
    (programs / "python3").symlink_to(f"/usr/bin/python{target.suite.python}")
    (programs / "python").symlink_to("python3")
    (programs / "intercom").write_text(LAUNCHER)
    (programs / "intercom").chmod(0o755)
    (place / "pyvenv.cfg").write_text(
        # picamera2 and lgpio are the system's: they fit its camera stack and its kernel.
        f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {target.suite.python}\n"
    )


def lay_program(target: Target, site: Path) -> None:
    """Lay the program itself into `site`, with what is compiled of it."""
    others = shutil.ignore_patterns("__pycache__", "*.[ch]", "*.so")
    shutil.copytree(ROOT / "intercom", site / "intercom", ignore=others)
    compile_own(target, site)


def dists(site: Path) -> Iterator[email.message.Message]:
    """The metadata of each library in a directory of libraries."""
    for file in sorted(site.glob("*.dist-info/METADATA")):
        yield email.message_from_string(file.read_text(encoding="utf-8"))


def dependencies() -> list[str]:
    """What the program needs, with the notifications, as pyproject.toml says it."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    return [*project["dependencies"], *project["optional-dependencies"]["notify"]]


def _libraries(target: Target) -> Path:
    """The directory with every library for `target`, made when it is not cached."""
    made_of = [target.suite.name, target.processor.name, LOCK.read_text()]
    by = ("compiler.py", "environment.py", "lock.py", "target.py")
    made_of += [Path(__file__).with_name(name).read_text() for name in by]
    key = hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:12]
    kept = cache() / f"deb-{target.suite.name}-{target.processor.name}-{key}"
    if kept.is_dir():
        return kept
    cache().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="deb-", dir=cache()) as folder:
        work = Path(folder)
        fetched = "".join(one.line for one in locked(target) if one.name != FROM_SOURCE)
        (work / "fetched.txt").write_text(fetched)
        _install(target, work, "--require-hashes", "--requirement", work / "fetched.txt")
        _install(target, work, _alsa_wheel(target, work))
        _check(target, work / "site")
        try:
            (work / "site").rename(kept)
        except OSError:
            if not kept.is_dir():  # made meanwhile by another build
                raise
    return kept


def _install(target: Target, work: Path, *what: object) -> None:
    run(
        *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "install", "--no-deps"),
        *("--target", work / "site", "--no-compile", "--only-binary", ":all:"),
        # It asks this Python whether a library is for it; the lock was made for the target's.
        *("--implementation", "cp", "--python-version", target.suite.python, "--ignore-requires-python"),
        *(word for abi in (target.suite.abi, "abi3", "none") for word in ("--abi", abi)),
        *(word for name in target.wheel_platforms for word in ("--platform", name)),
        *what,
        saying="the libraries could not be fetched",
    )
    for needless in ("bin", "include", "share"):
        shutil.rmtree(work / "site" / needless, ignore_errors=True)
    for folder in [*(work / "site").glob("**/tests"), *(work / "site").glob("**/__pycache__")]:
        shutil.rmtree(folder, ignore_errors=True)


def _check(target: Target, site: Path) -> None:
    """That every library's own dependencies are there: the lock was made for all targets at once."""
    there = {canonicalize_name(str(dist["Name"])): str(dist["Version"]) for dist in dists(site)}
    judged_by = environment(target)
    for dist in dists(site):
        for text in dist.get_all("Requires-Dist", []):
            needed = Requirement(text)
            if needed.marker is not None and not needed.marker.evaluate(judged_by):
                continue
            version = there.get(canonicalize_name(needed.name))
            if version is None or not needed.specifier.contains(version, prereleases=True):
                raise BuildError(f"{dist['Name']} needs {text} on {target.suite.name}, and there is {version}")


def _check_compiled(site: Path) -> None:
    """That every compiled module finds the libraries that it asks for: here, or in a package that we depend on."""
    compiled = [file for file in site.rglob("*.so*") if file.is_file()]
    asked = subprocess.run(["readelf", "--dynamic", *compiled], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"\(NEEDED\).*\[(.+)\]", asked))
    here = {file.name for file in compiled}
    unknown = {name for name in wanted - here - set(BROUGHT) if not name.startswith("ld-linux")}
    if unknown:
        raise BuildError(f"no package is known to bring {', '.join(sorted(unknown))}: add it to BROUGHT and Depends")


def _alsa_wheel(target: Target, work: Path) -> Path:
    """Compile pyalsaaudio into a wheel in `work`."""
    (work / "source.txt").write_text("".join(one.line for one in locked(target) if one.name == FROM_SOURCE))
    run(
        *(sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check", "download", "--no-deps"),
        # pip asks the source for its metadata: this environment has what that takes, and nothing else is fetched.
        *("--no-build-isolation", "--use-pep517", "--no-binary", ":all:", "--dest", work),
        *("--require-hashes", "--requirement", work / "source.txt"),
        saying=f"the source of {FROM_SOURCE} could not be fetched",
    )
    (archive,) = work.glob(f"{FROM_SOURCE}-*.tar.gz")
    # Its hash is checked; Debian 12's Python 3.11.2 knows no filter for what it unpacks.
    unpack = ("tar", "--extract", "--no-same-owner", "--directory", work, "--file", archive)
    run(*unpack, saying=f"{archive} cannot be unpacked")
    source = work / archive.name.removesuffix(".tar.gz")
    module = work / f"alsaaudio.cpython-{target.suite.abi[2:]}-{target.processor.triplet}.so"
    compile_module(target, module, source / "alsaaudio.c", "-lasound")
    name, _, version = source.name.rpartition("-")
    tag = f"{target.suite.abi}-{target.suite.abi}-linux_{target.processor.machine}"
    info = f"{name}-{version}.dist-info"
    made = work / f"{name}-{version}-{tag}.whl"
    with zipfile.ZipFile(made, "w") as wheel:
        wheel.write(module, module.name)
        wheel.write(source / "PKG-INFO", f"{info}/METADATA")
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nRoot-Is-Purelib: false\nTag: {tag}\n")
        wheel.writestr(f"{info}/RECORD", f"{module.name},,\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n")
    return made
