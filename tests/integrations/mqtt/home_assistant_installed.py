"""Home Assistant's environment: `python -m tests.integrations.mqtt.home_assistant_installed` makes it.

It needs another Python than the door's tests, and other versions of the same libraries. The environment lies in the
user's cache, under a name made from the lock beside this file, and is used again by every checkout. It is made while
the tests' own packages are installed: this module needs none of them.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

LOCK = Path(__file__).with_name("home_assistant.lock")
PYTHON = "3.13"
"""The Python of the version in the lock."""
INSTALL_LIMIT_S = 1200
COMPLETE = "complete"
"""File in the environment that says that all of it is there."""
NO_PYTHON = f"there is no Python {PYTHON}, which this Home Assistant needs"
NOT_INSTALLED = "Home Assistant is not installed: `./setup.sh --test` does it where there is a Python for it"


def place() -> Path:
    """The environment's folder."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "intercom-tests" / f"home-assistant-{hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]}"


def program() -> Path | None:
    """The installed program; None without one, or where the Python that it was installed with is gone."""
    return place() / "bin/hass" if (place() / COMPLETE).exists() and (place() / "bin/python").exists() else None


def python() -> str | None:
    """A Python that it runs on; None without one."""
    for candidate in _candidates():
        asked = [candidate, "-c", "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip() == PYTHON:
            return candidate
    return None


def _candidates() -> Iterator[str]:
    yield sys.executable
    if named := shutil.which(f"python{PYTHON}"):
        yield named
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    yield from (str(path) for path in sorted(versions.glob(f"{PYTHON}.*/bin/python{PYTHON}")))


def install() -> str:
    """Install it, unless it is there; return why that is impossible, or an empty text."""
    if program() is not None:
        return ""
    found, folder = python(), place()
    if found is None:
        return NO_PYTHON
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".flock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if program() is not None:
            return ""
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([found, "-m", "venv", str(folder)], check=True)
        # What it loads of its ten thousand files is compiled as it is loaded.
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile")
        try:
            done = subprocess.run(
                [folder / "bin/python", "-m", "pip", "install", *options, "--require-hashes", "-r", str(LOCK)],
                capture_output=True,
                text=True,
                check=False,
                timeout=INSTALL_LIMIT_S,
            )
        except subprocess.TimeoutExpired:
            shutil.rmtree(folder, ignore_errors=True)
            return f"its packages did not come within {INSTALL_LIMIT_S} s"
        if done.returncode:
            shutil.rmtree(folder, ignore_errors=True)
            return f"its packages could not be installed: {done.stderr.strip().splitlines()[-1:]}"
        (folder / COMPLETE).touch()
    return ""


if __name__ == "__main__":
    # In the background a shell's program ignores Ctrl-C, and so would pip.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    why_not = install()
    print(why_not or f"Home Assistant is in {place()}")
    sys.exit(1 if why_not else 0)
