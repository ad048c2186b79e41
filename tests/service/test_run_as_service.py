"""Commands that stand in the service's place at an installed door."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from intercom.service import run_as_service

NOBODY = 65534


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine on which the service is installed: its state directory."""
    for name in ("STATE", "SETTINGS"):
        (tmp_path / name.lower()).mkdir()
        monkeypatch.setattr(run_as_service, name, tmp_path / name.lower())
    return run_as_service.STATE


def test_the_service_s_state_and_secrets_are_found(installed: Path) -> None:
    environ: dict[str, str] = {}
    run_as_service.take_its_place(environ)
    assert environ == {"STATE_DIRECTORY": str(installed), "CREDENTIALS_DIRECTORY": str(run_as_service.SETTINGS)}


def test_what_systemd_named_stays(installed: Path) -> None:
    environ = {"STATE_DIRECTORY": "/elsewhere", "CREDENTIALS_DIRECTORY": "/run/credentials/intercom.service"}
    run_as_service.take_its_place(before := dict(environ))
    assert before == environ


def test_where_nothing_is_installed_nothing_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_as_service, "STATE", tmp_path / "no state")
    monkeypatch.setattr(run_as_service, "SETTINGS", tmp_path / "no settings")
    environ: dict[str, str] = {}
    run_as_service.take_its_place(environ)
    run_as_service.become_its_user()
    assert environ == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_leaves_nothing_that_the_service_cannot_read() -> None:
    code = (
        "import sys; from pathlib import Path; from intercom.service import run_as_service as own;"
        "own.STATE = Path(sys.argv[1]); own.become_its_user();"
        "(own.STATE / 'kept').write_text('')"
    )
    with tempfile.TemporaryDirectory() as folder:  # not pytest's, which nobody but root may enter
        state = Path(folder, "state")
        state.mkdir()
        Path(folder).chmod(0o755)
        os.chown(state, NOBODY, NOBODY)
        subprocess.run([sys.executable, "-c", code, str(state)], check=True)
        assert (state / "kept").stat().st_uid == NOBODY


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_root_does_something_as_the_owner_of_a_directory_and_is_root_again() -> None:
    with tempfile.TemporaryDirectory() as folder:
        state = Path(folder, "state")
        state.mkdir()
        Path(folder).chmod(0o755)
        os.chown(state, NOBODY, NOBODY)
        groups = os.getgroups()
        with run_as_service.as_owner_of(state):
            (state / "kept").touch()
        assert (state / "kept").stat().st_uid == NOBODY
        assert (os.geteuid(), os.getegid(), os.getgroups()) == (0, 0, groups)
