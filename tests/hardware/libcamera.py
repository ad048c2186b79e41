"""libcamera and picamera2 for a machine that has neither: Debian's packages and PyPI's, unpacked into a folder.

`ensure()` makes the folder on the host (and needs a network then); `load(folder)` makes both importable in a guest,
with what picamera2 needs to run on vimc, the kernel's virtual camera. Nothing is installed into the system.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

from deb.mirror import debian_mirror

from .kernel import UnavailableError, alone, cache, install, missing, wish

SUITE = "bookworm-backports main"
"""libcamera 0.3.2 for Python 3.11; Debian 13 has its own for its Python 3.13."""
DEBS = ("libcamera-ipa", "libcamera0.3", "python3-libcamera")
TOOLS = ("libcap-dev", "libdw1", "liblttng-ust1", "libunwind8", "libyaml-0-2")
"""What libcamera links to, and what picamera2's python-prctl is compiled with."""
WHEELS = ("picamera2==0.3.38",)
LIBRARIES = Path("usr/lib/x86_64-linux-gnu")
FRAME_LIMITS_US = (33_333, 200_000)


def ensure() -> Path:
    """Return the folder, making it first where it is not cached; raise `UnavailableError` where that cannot be."""
    if wish() == "off":
        raise UnavailableError("INTERCOM_HARDWARE=off")
    if sys.version_info[:2] != (3, 11):
        raise UnavailableError("Debian's libcamera packages that this bench unpacks are for Python 3.11")
    recipe = hashlib.sha256("\n".join((SUITE, *DEBS, *WHEELS)).encode()).hexdigest()[:12]
    kept = cache() / f"libcamera-{recipe}"
    if absent := missing(TOOLS):
        if wish() != "on":
            raise UnavailableError(f"picamera2 on the bench needs packages: apt-get install {' '.join(absent)}")
        install(tuple(absent))
    if not kept.exists():
        with alone("libcamera"), tempfile.TemporaryDirectory(prefix="libcamera-", dir=cache()) as work:
            _make(Path(work)).rename(kept)
    return kept


def load(folder: Path) -> ModuleType:
    """Import picamera2 from the folder, made to run on vimc, and return it."""
    libraries = folder / LIBRARIES
    os.environ["LIBCAMERA_IPA_MODULE_PATH"] = str(libraries / "libcamera")
    os.environ["LIBCAMERA_LOG_LEVELS"] = "*:FATAL"
    for name in ("libcamera-base.so.0.3", "libcamera.so.0.3"):
        ctypes.CDLL(str(libraries / name), mode=ctypes.RTLD_GLOBAL)
    # Last on the path: what the project's own environment has comes first.
    sys.path += [str(folder / "site"), str(libraries / "python3.11/site-packages")]
    # picamera2 allocates from the Pi's heap, and imports a library for its preview on a screen.
    heap = Path("/dev/dma_heap/linux,cma")
    if not heap.exists():
        heap.symlink_to("system")
    screen = ModuleType("pykms")
    screen.PixelFormat = _AnyName()  # type: ignore[attr-defined]  # a module made up on the spot
    sys.modules["pykms"] = screen
    picamera2 = importlib.import_module("picamera2")
    _know_frame_durations(picamera2)
    # Off a Pi it takes the machine for a Pi 4, which has an encoder.
    encoders = importlib.import_module("picamera2.encoders")
    vars(encoders)["H264Encoder"] = encoders.LibavH264Encoder
    return picamera2


class _AnyName:
    def __getattr__(self, name: str) -> str:
        return name


def _know_frame_durations(picamera2: ModuleType) -> None:
    """Let picamera2 believe that the camera's frame rate can be set; vimc's cannot, and ignores it."""
    control = importlib.import_module("libcamera").controls.FrameDurationLimits
    shortest, longest = FRAME_LIMITS_US
    limits = SimpleNamespace(min=shortest, max=longest, default=shortest)

    def known(camera: object) -> dict[str, object]:
        controls: dict[str, object] = vars(camera)["controls of the camera"]
        return controls

    def learn(camera: object, controls: dict[str, object]) -> None:
        vars(camera)["controls of the camera"] = {**controls, "FrameDurationLimits": (control, limits)}

    picamera2.Picamera2.camera_ctrl_info = property(known, learn)


def _make(work: Path) -> Path:
    made, lists, debs = work / "made", work / "lists", work / "debs"
    for folder in (made, lists / "partial", debs / "partial"):
        folder.mkdir(parents=True)
    sources = work / "sources.list"
    sources.write_text(f"deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {debian_mirror()} {SUITE}\n")
    settings = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": lists,
        "Dir::Cache::archives": debs,
        "Dir::Cache::pkgcache": "",
        "Dir::Cache::srcpkgcache": "",
        "APT::Sandbox::User": "root",
    }
    options = [f"-o{name}={value}" for name, value in settings.items()]
    _run(["apt-get", "-q", *options, "update"], debs)
    _run(["apt-get", "-q", *options, "download", *DEBS], debs)
    for package in debs.glob("*.deb"):
        _run(["dpkg", "-x", str(package), str(made)], debs)
    _run([sys.executable, "-m", "pip", "install", "--quiet", "--target", str(made / "site"), *WHEELS], debs)
    return made


def _run(command: list[str], directory: Path) -> None:
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode:
        raise UnavailableError(f"unpacking libcamera failed: {' '.join(command[:3])}: {done.stderr.strip()[-600:]}")


if __name__ == "__main__":
    if "--install" in sys.argv[1:]:
        install(TOOLS)
    print(ensure())
