"""The package's program on a Pi's processor, under qemu-user: it loads and runs there, in every run of the tests."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intercom import __version__
from tests.arm.emulated import Emulated
from tests.hardware.kernel import UnavailableError

LIMIT_S = 600.0
"""All modules load in 20 s on an idle machine."""
LOAD_ALL = """
import importlib, json, pkgutil, platform, intercom
loaded, missing = [], {}
for module in pkgutil.walk_packages(intercom.__path__, "intercom."):
    if module.name.endswith("__main__"):
        continue
    try:
        importlib.import_module(module.name)
        loaded.append(module.name)
    except ModuleNotFoundError as error:
        missing[module.name] = error.name
print(json.dumps([platform.machine(), loaded, missing]))
"""
SYSTEMS_OWN = {"libcamera", "lgpio", "picamera2"}
"""On a Raspberry Pi they are the system's."""

pytestmark = pytest.mark.timeout(1800)
"""The first run fetches Debian's Python, and every library."""


@pytest.fixture(scope="module")
def pi(tmp_path_factory: pytest.TempPathFactory) -> Emulated:
    try:
        return Emulated(tmp_path_factory.mktemp("pi"))
    except UnavailableError as reason:
        pytest.skip(str(reason))


def test_every_module_loads(pi: Emulated) -> None:
    ended = pi.python("-c", LOAD_ALL, limit_s=LIMIT_S)
    assert ended.returncode == 0, ended.stderr
    processor, loaded, missing = json.loads(ended.stdout)
    assert processor == "aarch64"
    assert len(loaded) > 100
    assert set(missing.values()) <= SYSTEMS_OWN, missing


def test_the_sound_path_uses_what_is_compiled(pi: Emulated) -> None:
    why_not = "from intercom.media.native import module; print(repr(module.why_not()))"
    ended = pi.python("-c", why_not, limit_s=LIMIT_S)
    assert ended.stdout == "''\n", ended.stderr


def test_alsa_reads_no_settings_of_this_machine(pi: Emulated) -> None:
    ended = pi.python("-c", "import os; print(os.listdir('/etc/alsa/conf.d'))", limit_s=LIMIT_S)
    assert ended.stdout == "[]\n", ended.stderr


def test_it_says_its_version(pi: Emulated) -> None:
    ended = pi.python("-m", "intercom", "--version", limit_s=LIMIT_S)
    assert ended.stdout.split()[-1] == __version__, ended.stderr


def test_the_configuration_is_checked(pi: Emulated, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.toml", tmp_path / "bad.toml"
    good.write_text('[camera]\nsource = "off"\n')
    bad.write_text("[cal]\n")
    assert pi.python("-m", "intercom", "config", "check", str(good), limit_s=LIMIT_S).returncode == 0
    ended = pi.python("-m", "intercom", "config", "check", str(bad), limit_s=LIMIT_S)
    assert ended.returncode != 0
    assert "no such table" in ended.stdout + ended.stderr


def test_the_doctor_looks_at_everything(pi: Emulated, tmp_path: Path) -> None:
    state = {"STATE_DIRECTORY": str(tmp_path), "RUNTIME_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)}
    ended = pi.python("-m", "intercom", "doctor", "--json", limit_s=LIMIT_S, **state)
    assert "Traceback" not in ended.stderr
    assert len(json.loads(ended.stdout)) > 5, ended.stderr
