"""The C sources: no warning of the compiler's, and no fault that its sanitizers find while they are tried."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

from deb.lock import ROOT

pytestmark = [
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing"),
    pytest.mark.timeout(900),
]
TRIED = (
    "test_decimator.py",
    "test_levels.py",
    "test_linear_filter.py",
    "test_opus.py",
    "test_packet_reader.py",
    "test_packet_writer.py",
    "test_passage.py",
    "test_refusals.py",
)
WITH_THE_BUILD = """
import importlib.util, sys
import intercom.media.native as room
spec = importlib.util.spec_from_file_location("intercom.media.native._native", sys.argv[1])
room._native = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(room._native)
import pytest
sys.exit(pytest.main(["-q", "-p", "no:cacheprovider", *sys.argv[2:]]))
"""


def compile_to(made: Path, *flags: str) -> str:
    """Compile the module as pyproject.toml says and with these flags; return what the compiler says."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        (described,) = tomllib.load(file)["tool"]["setuptools"]["ext-modules"]
    words = ["gcc", "-shared", "-fPIC", f"-I{sysconfig.get_path('include')}", *described["extra-compile-args"], *flags]
    words += [f"-D{name}={value}" for name, value in described["define-macros"]]
    words += [*described["sources"], *(f"-l{name}" for name in described["libraries"]), "-o", str(made)]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False).stderr


def test_the_compiler_has_nothing_to_say(tmp_path: Path) -> None:
    assert not compile_to(tmp_path / "module.so", "-Wall", "-Wextra", "-Wvla", "-Wstrict-prototypes")


def test_it_brings_the_library_of_its_mathematics(tmp_path: Path) -> None:
    assert not compile_to(tmp_path / "module.so")
    asked = subprocess.run(
        ["readelf", "--dynamic", str(tmp_path / "module.so")], capture_output=True, text=True, check=True
    )
    assert "[libm.so.6]" in asked.stdout


def test_no_memory_beside_the_arrays_is_touched_and_nothing_undefined_is_done(tmp_path: Path) -> None:
    module = tmp_path / "module.so"
    said = compile_to(module, "-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    assert not said
    library = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout
    environment = {**os.environ, "LD_PRELOAD": library.strip(), "ASAN_OPTIONS": "detect_leaks=0"}
    tried = [str(Path(__file__).with_name(name)) for name in TRIED]
    command = [sys.executable, "-c", WITH_THE_BUILD, str(module), *tried]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "skipped" not in done.stdout
