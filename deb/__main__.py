"""`python -m deb`: build the package and print where it lies."""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deb.commit import last_change, package_version
from deb.environment import dependencies, dists, lay_environment
from deb.lock import ROOT
from deb.sbom import licence_of, sbom
from deb.target import BuildError, Target, target
from intercom.config import example
from intercom.media.errors import SpeechError
from intercom.media.prompts.build import speak_all
from intercom.media.prompts.prompts import PACKAGED

SHARED = "# (shared)"
"""The line of a maintainer script that stands for systemd/service.sh and services.sh."""
CONTROL = """Package: intercom
Version: {version}
Architecture: {arch}
Maintainer: Intercom <intercom@localhost>
Installed-Size: {kilobytes}
Depends: python3 (>= {python}), python3 (<< {next_python}), libc6 (>= 2.{glibc_minor}), {alsa}, libgcc-s1, libopus0, \
libstdc++6, passwd, zlib1g, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles
Recommends: espeak-ng, libspeexdsp1, python3-lgpio, python3-picamera2
Suggests: coturn, openssh-server
Section: comm
Priority: optional
Description: door station that registers as a SignalWire subscriber
 Turns a Raspberry Pi with a button, a USB speakerphone and a camera into a
 door station: press the button and the house rings, wherever its people are.
 It registers as a SignalWire subscriber, or with the space that it brings
 along, so that it works with no account and no cloud.
 .
 "intercom setup" asks what your door has; "intercom status" tells what it
 does.
"""
COPYRIGHT = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: intercom

Files: *
Copyright: the authors of Intercom
License: Expat
{licence}

Files: opt/intercom/lib/*/site-packages/intercom/media/native/*
Copyright: the authors of Intercom, and 2003-2008 Jean-Marc Valin
License: Expat and BSD-3-Clause
{notice}

Comment: Under /opt/intercom/lib lie the libraries that it needs, each with its own licence beside it:
{libraries}
"""
OVERRIDES = """# The environment is an add-on's, in the place that add-ons have, and starts with its own Python.
intercom: dir-or-file-in-opt
intercom: wrong-path-for-interpreter
# What others built and published stays as they published it.
intercom: embedded-library
intercom: library-not-linked-against-libc
intercom: script-not-executable
intercom: shared-library-lacks-prerequisites
intercom: unstripped-binary-or-object
intercom: unusual-interpreter
# A package that nobody but its builder answers for.
intercom: bogus-mail-host
intercom: bogus-mail-host-in-debian-changelog
"""


def build(to: Target, folder: Path, *, version: str | None = None, compression: str = "xz") -> Path:
    """Build the package for `to` into `folder` and return its path; BuildError says why it cannot be."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="intercom-deb-") as work:
        tree = Path(work) / "tree"
        lay_environment(to, tree)
        _speak(to, tree)
        subprocess.run([ROOT / "systemd/files.sh", tree], stdout=subprocess.DEVNULL, check=True)
        full = f"{version or package_version(ROOT)}+deb{to.suite.number}"
        _document(to, tree, full)
        _control(to, tree, full)
        when = last_change(ROOT)
        _settle(tree, when)
        file = folder / f"intercom_{full}_{to.processor.name}.deb"
        pack = ["dpkg-deb", "--root-owner-group", f"-Z{compression}", "--build", str(tree), str(file)]
        subprocess.run(pack, stdout=subprocess.DEVNULL, env={**os.environ, "SOURCE_DATE_EPOCH": str(when)}, check=True)
    return file


def _speak(to: Target, tree: Path) -> None:
    """Speak what the door says, so that a door without espeak-ng says it too."""
    site = tree / f"opt/intercom/lib/python{to.suite.python}/site-packages"
    try:
        speak_all(site / PACKAGED.relative_to(ROOT))
    except SpeechError as error:
        raise BuildError(f"the door's prompts cannot be spoken: {error}") from error


def _document(to: Target, tree: Path, version: str) -> None:
    documents = tree / "usr/share/doc/intercom"
    site = tree / f"opt/intercom/lib/python{to.suite.python}/site-packages"
    libraries = (f" {dist['Name']} {dist['Version']}: {licence_of(dist)}" for dist in dists(site))
    licence = "\n".join(f" {line or '.'}" for line in (ROOT / "LICENSE").read_text().splitlines()[2:])
    notice = "\n".join(f" {line or '.'}" for line in (ROOT / "intercom/media/native/NOTICE").read_text().splitlines())
    copyrights = COPYRIGHT.format(licence=licence, notice=notice, libraries="\n".join(libraries))
    (documents / "copyright").write_text(copyrights)
    bill = sbom(version, dependencies(), dists(site), to, last_change(ROOT))
    (documents / "sbom.cdx.json").write_text(bill, encoding="utf-8")
    (documents / "examples").mkdir()
    (documents / "examples/intercom.toml").write_text(example())
    stamp = subprocess.run(
        ["date", "--utc", "-R", f"--date=@{last_change(ROOT)}"], capture_output=True, text=True, check=True
    )
    change = f"intercom ({version}) {to.suite.name}; urgency=medium\n\n  * As of this commit.\n\n"
    change += f" -- Intercom <intercom@localhost>  {stamp.stdout}"
    (documents / "changelog.gz").write_bytes(gzip.compress(change.encode(), 9, mtime=0))
    overrides = tree / "usr/share/lintian/overrides/intercom"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(OVERRIDES)


def _control(to: Target, tree: Path, version: str) -> None:
    control = tree / "DEBIAN"
    files = sorted(file for file in tree.rglob("*") if file.is_file() and not file.is_symlink())
    control.mkdir()
    (control / "md5sums").write_text(
        "".join(f"{hashlib.md5(file.read_bytes()).hexdigest()}  {file.relative_to(tree)}\n" for file in files)
    )
    major, _, minor = to.suite.python.partition(".")
    settings = (f"/{file.relative_to(tree)}\n" for file in files if file.is_relative_to(tree / "etc"))
    (control / "conffiles").write_text("".join(settings))
    (control / "control").write_text(
        CONTROL.format(
            version=version,
            arch=to.processor.name,
            kilobytes=sum(file.stat().st_size for file in files) // 1024,
            python=to.suite.python,
            next_python=f"{major}.{int(minor) + 1}",
            glibc_minor=to.suite.glibc_minor,
            alsa=to.suite.alsa,
        )
    )
    shared = (ROOT / "systemd/service.sh").read_text() + (Path(__file__).parent / "services.sh").read_text()
    for name in ("preinst", "postinst", "prerm", "postrm"):
        script = (Path(__file__).parent / name).read_text().replace(SHARED, shared)
        (control / name).write_text(script)
        (control / name).chmod(0o755)


def _settle(tree: Path, when: int) -> None:
    """One time for every file, and the modes that Debian has."""
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or (path.stat().st_mode & 0o100 and ".so" not in path.suffixes)
            path.chmod(0o755 if executable else 0o644)
        os.utime(path, (when, when), follow_symlinks=False)


def main() -> int:
    """Build what the arguments name."""
    parser = argparse.ArgumentParser(prog="make deb", description="Build the .deb.")
    parser.add_argument("--suite", help="bookworm or trixie (default: this machine's)")
    parser.add_argument("--arch", help="amd64 or arm64 (default: this machine's)")
    parser.add_argument("--into", type=Path, default=ROOT / "dist", help="default: dist/")
    options = parser.parse_args()
    if shutil.which("dpkg-deb") is None:
        sys.exit("make deb: there is no dpkg-deb: packages are built on Debian")
    try:
        file = build(target(options.suite, options.arch), options.into)
    except BuildError as error:
        sys.exit(f"make deb: {error}")
    print(f"{file}: {file.stat().st_size / 1e6:.0f} MB. On the door: sudo apt install ./{file.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
