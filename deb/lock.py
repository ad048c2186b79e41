"""What requirements.lock pins for one target: names, versions and the hashes that their files may have."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# pip's own copy: an environment that can install can read what it installs.
from pip._vendor.packaging.markers import default_environment
from pip._vendor.packaging.requirements import Requirement

from deb.target import Target

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"


@dataclass(frozen=True)
class Locked:
    """One library, as it is pinned."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """Of each file that its version was published in, as `sha256:…`."""

    @property
    def line(self) -> str:
        """The line that tells pip to take it and nothing else."""
        return f"{self.name}=={self.version} {' '.join(f'--hash={known}' for known in self.hashes)}\n"


def environment(target: Target) -> dict[str, str]:
    """Return what markers are judged by on `target`, which may be another machine with another Python."""
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": target.suite.python,
        "python_full_version": f"{target.suite.python}.0",
        "platform_machine": target.processor.machine,
        "extra": "",
    }


def requirements(text: str) -> Iterator[tuple[Requirement, tuple[str, ...]]]:
    """Yield each requirement of a lock with its hashes."""
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip() and not line.startswith("#"):
            wanted, *options = line.split(" --hash=")
            yield Requirement(wanted.strip()), tuple(option.strip() for option in options)


def locked(target: Target) -> list[Locked]:
    """Return what is pinned for `target`; pip would judge the markers by the Python that runs it."""
    judged_by = environment(target)
    return [
        Locked(wanted.name, next(iter(wanted.specifier)).version, hashes)
        for wanted, hashes in requirements(LOCK.read_text(encoding="utf-8"))
        if wanted.marker is None or wanted.marker.evaluate(judged_by)
    ]
