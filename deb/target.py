"""What a package is built for: a Debian release and a processor."""

from __future__ import annotations

import platform
from dataclasses import dataclass


class BuildError(RuntimeError):
    """The package cannot be built here; the text says why and what to do."""


@dataclass(frozen=True)
class Suite:
    """A Debian release, and the Raspberry Pi OS made from it."""

    name: str
    number: int
    python: str
    """The only Python that it has."""
    glibc_minor: int
    """2.N: what is compiled for an older one runs as well."""
    alsa: str
    """The package of ALSA's library."""

    @property
    def abi(self) -> str:
        """The tag of what is compiled for its Python."""
        return "cp" + self.python.replace(".", "")


@dataclass(frozen=True)
class Processor:
    """A processor, by its name in Debian."""

    name: str
    machine: str
    """Its name in wheels and in the kernel."""
    triplet: str
    """Its name in gcc."""


SUITES = {
    suite.name: suite
    for suite in (
        Suite("bookworm", 12, "3.11", 36, "libasound2"),
        Suite("trixie", 13, "3.13", 41, "libasound2t64"),
    )
}
PROCESSORS = {
    processor.name: processor
    for processor in (
        Processor("amd64", "x86_64", "x86_64-linux-gnu"),
        Processor("arm64", "aarch64", "aarch64-linux-gnu"),
    )
}
OLDEST_GLIBC_MINOR = 17
"""manylinux2014's: no wheel of today is for an older one."""


@dataclass(frozen=True)
class Target:
    """Where a package is to run."""

    suite: Suite
    processor: Processor

    @property
    def is_this_machine(self) -> bool:
        """Whether what this machine's own compiler makes from its own headers runs there."""
        return self == here()

    @property
    def wheel_platforms(self) -> list[str]:
        """The platform tags of wheels that run there, for pip."""
        machine = self.processor.machine
        newest = range(self.suite.glibc_minor, OLDEST_GLIBC_MINOR - 1, -1)
        return [*(f"manylinux_2_{minor}_{machine}" for minor in newest), f"manylinux2014_{machine}", f"linux_{machine}"]


def target(suite: str | None = None, arch: str | None = None) -> Target:
    """The target of these names, by default this machine."""
    mine = here()
    if (suite is None or arch is None) and mine is None:
        raise BuildError(f"this machine is none of {_names()}: say for which the package is to be (SUITE=, ARCH=)")
    if suite is not None and suite not in SUITES:
        raise BuildError(f"SUITE={suite} is not known: there are {', '.join(SUITES)}")
    if arch is not None and arch not in PROCESSORS:
        raise BuildError(f"ARCH={arch} is not known: there are {', '.join(PROCESSORS)}")
    return Target(
        SUITES[suite] if suite else mine.suite,  # type: ignore[union-attr]  # not None: see above
        PROCESSORS[arch] if arch else mine.processor,  # type: ignore[union-attr]  # the same
    )


def here() -> Target | None:
    """This machine; None when it is of a release or a processor that no package is for."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    processor = next((one for one in PROCESSORS.values() if one.machine == platform.machine()), None)
    return Target(SUITES[codename], processor) if codename in SUITES and processor else None


def _names() -> str:
    return f"{', '.join(SUITES)} on {', '.join(PROCESSORS)}"
