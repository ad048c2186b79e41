"""`./setup.sh` compiles the program's C sources once, and goes on where it cannot."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readme import ROOT

VENV = ROOT / ".venv"
COMPILED = "intercom/media/native/_native.abi3.so"
INPUTS = ("pyproject.toml", "requirements*.lock", "tests/integrations/mqtt/home_assistant.lock", "setup.sh")
PYTHON_IS = "import sys; print(sys.version_info[:2], sys.base_prefix)"

pytestmark = [
    pytest.mark.skipif(not list(VENV.glob(".set-up*")), reason="setup.sh did not make this environment"),
    pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing"),
]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose Python packages are there, and whose C sources were never compiled."""
    tmp_path = tmp_path.resolve()
    files = [file for pattern in (*INPUTS, "README.md", "LICENSE") for file in sorted(ROOT.glob(pattern))]
    for file in files:
        place = tmp_path / file.relative_to(ROOT)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, place)
    shutil.copytree(ROOT / "intercom", tmp_path / "intercom", ignore=shutil.ignore_patterns("*.so", "__pycache__"))
    (tmp_path / ".venv").mkdir()
    for name in ("bin", "lib", "pyvenv.cfg"):
        (tmp_path / ".venv" / name).symlink_to(VENV / name)
    made_from = b"".join(file.read_bytes() for file in files if file.name not in {"README.md", "LICENSE"})
    python = subprocess.run([sys.executable, "-c", PYTHON_IS], capture_output=True, check=True).stdout
    digest = hashlib.sha256(made_from + f"{tmp_path}\n".encode() + python).hexdigest()
    (tmp_path / ".venv/.set-up").write_text(f"{digest}  -\n")
    return tmp_path


def set_up(checkout: Path, **environment: str) -> str:
    """What setup.sh says."""
    done = subprocess.run(
        ["./setup.sh"],
        cwd=checkout,
        env={**os.environ, "PYTHON": sys.executable, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Installing" not in done.stderr
    return done.stderr


def test_what_is_compiled_is_compiled_once(checkout: Path) -> None:
    assert not set_up(checkout)
    made = (checkout / COMPILED).stat()
    assert not set_up(checkout)
    assert (checkout / COMPILED).stat() == made


def test_a_compiler_that_fails_leaves_the_door_without_and_not_with_what_was_compiled_before(checkout: Path) -> None:
    set_up(checkout)
    (checkout / "intercom/media/native/levels.c").open("a").write("/* changed */\n")
    assert "could not be compiled" in set_up(checkout, CC="false")
    assert not (checkout / COMPILED).exists()
    assert not set_up(checkout)
    assert (checkout / COMPILED).exists()
