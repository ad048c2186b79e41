"""The bench kernel: user-mode Linux, built from Debian's `linux-source-6.12` and kept outside the clone.

`python -m tests.hardware.kernel` builds it if need be and prints where it lies; `--install` fetches the packages first.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE_PACKAGE = "linux-source-6.12"
"""6.12 is Debian 13's kernel; 7.x panicked as user-mode Linux when it was tried."""
SOURCE = Path("/usr/src/linux-source-6.12.tar.xz")
BUILD_PACKAGES = (SOURCE_PACKAGE, "bc", "bison", "flex", "gcc", "libc6-dev", "libelf-dev", "make", "patch", "xz-utils")
GUEST_PACKAGES = ("iproute2", "udev", "util-linux")
CONFIG = Path(__file__).with_name("kernel.config")
PATCHES = sorted(CONFIG.parent.glob("*.patch"))
"""Changes to Debian's source; each says at its top what it is for."""
CACHE = "INTERCOM_CACHE"
"""Names the cache directory; the guest is told the host's this way."""
BUILD_LIMIT_S = 40 * 60
"""A clean build takes 4.5 minutes on two idle cores, and was seen to take 20 on two busy ones."""


class UnavailableError(RuntimeError):
    """This machine cannot run the bench; the text says why and what to do."""


def wish() -> str:
    """Return what `INTERCOM_HARDWARE` asks for: "auto" (unset), "off" or "on" (a reason to skip becomes a failure)."""
    value = os.environ.get("INTERCOM_HARDWARE", "auto").lower()
    if value not in {"auto", "off", "on"}:
        raise UnavailableError(f'INTERCOM_HARDWARE={value} is not known: use "auto", "on" or "off"')
    return value


def cache() -> Path:
    """Return the directory that keeps kernels and disk images; it is outside the clone and may be deleted at will."""
    if named := os.environ.get(CACHE):
        return Path(named)
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "intercom"


def missing(packages: tuple[str, ...]) -> list[str]:
    """Return those of Debian's `packages` that are not installed."""
    return [name for name in packages if _version(name) is None]


def install(packages: tuple[str, ...]) -> None:
    """Install Debian's `packages`; raise `UnavailableError` without root, apt or a network."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise UnavailableError(f"not root on a Debian: run apt-get install {' '.join(packages)} yourself")
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        done = subprocess.run(["apt-get", "-q", *command], capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnavailableError(f"apt-get {command[0]} failed: {done.stderr.strip()[-400:]}")


def ensure() -> Path:
    """Return the kernel, building it first where it is not cached; raise `UnavailableError` where that cannot be."""
    if wish() == "off":
        raise UnavailableError("INTERCOM_HARDWARE=off")
    if platform.machine() != "x86_64" or sys.platform != "linux":
        raise UnavailableError("user-mode Linux runs on x86_64 Linux only")
    needed = GUEST_PACKAGES if _cached() else GUEST_PACKAGES + BUILD_PACKAGES
    if absent := missing(needed):
        if wish() != "on":
            raise UnavailableError(f"the bench needs packages: apt-get install {' '.join(absent)}")
        install(tuple(absent))
    return _cached() or _build()


@contextmanager
def alone(what: str) -> Iterator[None]:
    """Hold a lock of the cache, so that `what` is not made twice at the same time."""
    cache().mkdir(parents=True, exist_ok=True)
    with (cache() / f"{what}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _version(package: str) -> str | None:
    asked = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Version}", package]
    if shutil.which(asked[0]) is None:
        return None
    status, _, version = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.partition(" ")
    return version if status == "installed" else None


def _name(version: str) -> str:
    """Return the kernel's directory name: what it is made of, so that a change of any of it makes a new one."""
    made_of = b"".join(file.read_bytes() for file in (CONFIG, *PATCHES))
    return f"kernel-{hashlib.sha256(made_of).hexdigest()[:12]}-{version.replace('~', '-')}"


def _cached() -> Path | None:
    version = _version(SOURCE_PACKAGE)
    # Without the source package any kernel of this configuration serves: there is nothing newer to build.
    kernels = sorted(cache().glob(f"{_name(version or '*')}/linux"), key=lambda path: path.stat().st_mtime)
    return kernels[-1] if kernels else None


def _build() -> Path:
    with alone("kernel"):
        if ready := _cached():
            return ready
        with tempfile.TemporaryDirectory(prefix="build-", dir=cache()) as work:
            return _build_in(Path(work))


def _build_in(work: Path) -> Path:
    source, output = work / "source", work / "output"
    source.mkdir()
    output.mkdir()
    make = ["make", "-s", "ARCH=um", f"O={output}"]
    merge = ["scripts/kconfig/merge_config.sh", "-m", "-O", str(output), str(output / ".config"), str(CONFIG)]
    _run(["tar", "-xJf", str(SOURCE), "-C", str(source), "--strip-components=1"], work)
    for patch in PATCHES:
        _run(["patch", "--strip=1", "--silent", f"--input={patch}"], source)
    _run([*make, "tinyconfig"], source)
    _run(merge, source)
    _run([*make, "olddefconfig"], source)
    if lost := sorted(_options(CONFIG) - _options(output / ".config")):
        raise UnavailableError(f"{SOURCE_PACKAGE} does not take these options of {CONFIG.name}: {', '.join(lost)}")
    _run(["nice", *make, f"-j{os.cpu_count()}", "linux"], source)
    _run(["strip", "linux"], output)
    made = work / "made"
    made.mkdir()
    (output / "linux").rename(made / "linux")
    (output / ".config").rename(made / "config")
    kept = cache() / _name(_version(SOURCE_PACKAGE) or "unknown")
    made.rename(kept)
    return kept / "linux"


def _options(path: Path) -> set[str]:
    """Return the options that are on, as `CONFIG_X=y`; one that is off and one that is absent are the same."""
    lines = (line.strip() for line in path.read_text().splitlines())
    return {line for line in lines if line.startswith("CONFIG_") and not line.endswith("=n")}


def _run(command: list[str], directory: Path) -> None:
    try:
        done = subprocess.run(
            command,
            cwd=directory,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=BUILD_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"building the kernel takes more than {BUILD_LIMIT_S // 60} minutes here") from late
    if done.returncode:
        raise UnavailableError(f"building the kernel failed: {' '.join(command)}: {done.stderr.strip()[-800:]}")


if __name__ == "__main__":
    if "--install" in sys.argv[1:]:
        install(BUILD_PACKAGES + GUEST_PACKAGES)
    print(ensure())
