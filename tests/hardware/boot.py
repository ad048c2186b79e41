"""A whole machine: Debian 13 with systemd as PID 1 on a disk of its own, booted on the bench kernel.

`with Machine() as machine: machine.run("systemctl status")` boots in some seconds; the checkout is /checkout there,
read-only, and what the project depends on is installed in /opt/intercom. The disk image is made by `mmdebstrap`, kept
outside the clone, and never written: each machine has an overlay file of its own. Needs root for the image.

`python -m tests.hardware.boot` makes the image and prints where it lies.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from deb.mirror import debian_mirror

from .guest import CHECKOUT, HERE, PRIORITY, Guest
from .kernel import UnavailableError, alone, cache, install, missing, wish

SUITE = "trixie"
TOOLS = ("e2fsprogs", "mmdebstrap")
PACKAGES = (
    "alsa-utils",
    "ca-certificates",
    "dbus",
    "gcc",
    "iproute2",
    "libasound2-dev",
    "libc6-dev",
    "libopus0",
    "openssh-server",
    "procps",
    "python3",
    "python3-dev",
    "python3-venv",
    "sudo",
    "swig",
    "systemd",
    "systemd-sysv",
    "udev",
)
"""What an installation needs, and what compiles pyalsaaudio and lgpio, of which there are no wheels for it."""
LOCKS = ("requirements-build.lock", "requirements.lock")
"""What is installed there, as `make install` does it: that finds it there and needs no network."""
SIZE = "3G"
"""Sparse; the system fills a third of it."""
IMAGE_LIMIT_S = 30 * 60
MEMORY_MB = 1024
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
"""Whom this machine trusts, which may be a proxy of its own: for the installation alone."""
AGENT_UNIT = """[Unit]
Description=Agent of the bench

[Service]
ExecStart=/usr/local/sbin/boot-agent
# What a test starts is not the agent's to end.
KillMode=process

[Install]
WantedBy=multi-user.target
"""
SETUP = """
set -e
bundle=/tmp/{bundle}
unset SSL_CERT_DIR PIP_FIND_LINKS
export PIP_CERT=$bundle SSL_CERT_FILE=$bundle REQUESTS_CA_BUNDLE=$bundle
python3 -m venv --system-site-packages /opt/intercom
pip="/opt/intercom/bin/pip install --quiet --disable-pip-version-check"
$pip --no-deps --require-hashes -r /tmp/requirements-build.lock
$pip --no-deps --require-hashes --no-build-isolation --use-pep517 -r /tmp/requirements.lock
# On a Raspberry Pi it is the system's.
PYPI=1 $pip 'lgpio>=0.2.2'
systemctl enable boot-agent.service
systemctl disable ssh.service
"""


def image() -> Path:
    """Return the disk image, making it first where it is not cached; raise `UnavailableError` where that cannot be."""
    if wish() == "off":
        raise UnavailableError("INTERCOM_HARDWARE=off")
    kept = cache() / f"root-{_recipe()}.ext4"
    if kept.exists():
        return kept
    if os.geteuid() != 0:
        raise UnavailableError("making the disk image needs root: run python -m tests.hardware.boot as root once")
    if absent := missing(TOOLS):
        if wish() != "on":
            raise UnavailableError(f"the disk image needs packages: apt-get install {' '.join(absent)}")
        install(tuple(absent))
    with alone("root"):
        if not kept.exists():
            with tempfile.TemporaryDirectory(prefix="root-", dir=cache()) as work:
                _make(Path(work)).rename(kept)
    return kept


class Machine(Guest):
    """A guest with a disk of its own; `disk` keeps what it writes, so that another boot may find it again.

    `access` is "rw", or "ro" for a root that nothing writes.
    """

    def __init__(
        self,
        disk: Path | None = None,
        *,
        access: str = "rw",
        arguments: Sequence[str] = (),
        namespace: str | None = None,
        priority: int = PRIORITY,
    ):
        self._folder = tempfile.TemporaryDirectory(prefix="intercom-disk-")
        overlay = disk or Path(self._folder.name) / "overlay"
        super().__init__(
            root=(f"ubd0={overlay},{image()}", "root=/dev/ubda", "rootfstype=ext4", access),
            arguments=("systemd.getty_auto=no", f"checkout={CHECKOUT}", *arguments),
            namespace=namespace,
            memory_mb=MEMORY_MB,
            priority=priority,
        )


def _recipe() -> str:
    """Return what the image is made of, as its name."""
    files = (HERE / "boot-agent", *(CHECKOUT / lock for lock in LOCKS))
    made_of = "\n".join((SUITE, SIZE, *PACKAGES, AGENT_UNIT, SETUP, *(file.read_text() for file in files)))
    return hashlib.sha256(made_of.encode()).hexdigest()[:12]


def _make(work: Path) -> Path:
    tree, unit, setup, disk = work / "tree", work / "boot-agent.service", work / "setup", work / "disk"
    unit.write_text(AGENT_UNIT)
    setup.write_text(SETUP.format(bundle=AUTHORITIES.name))
    _run(
        "nice",
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(PACKAGES)}",
        f"--customize-hook=copy-in {HERE / 'boot-agent'} /usr/local/sbin",
        f"--customize-hook=copy-in {unit} /etc/systemd/system",
        f"--customize-hook=copy-in {AUTHORITIES} {' '.join(str(CHECKOUT / lock) for lock in LOCKS)} /tmp",
        f'--customize-hook=chroot "$1" bash -s < {setup}',
        "--customize-hook=rm -rf $1/root/.cache $1/tmp/ca-certificates.crt $1/tmp/requirements*",
        SUITE,
        str(tree),
        debian_mirror(),
    )
    _run("nice", "mke2fs", "-q", "-t", "ext4", "-d", str(tree), str(disk), SIZE)
    return disk


def _run(*command: str) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=IMAGE_LIMIT_S, check=False)
    except subprocess.TimeoutExpired as late:
        raise UnavailableError(f"making the disk image takes more than {IMAGE_LIMIT_S // 60} minutes here") from late
    if done.returncode:
        raise UnavailableError(f"making the disk image failed: {command[1]}: {done.stderr.strip()[-800:]}")


if __name__ == "__main__":
    if "--install" in sys.argv[1:]:
        install(TOOLS)
    print(image())
