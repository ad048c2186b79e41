"""The diagnostics bundle."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.cli import main
from intercom.cli.checks.diagnostics_bundle import bundle, without_secrets
from intercom.cli.running_door.remote import NOT_RUNNING

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJkb29yIn0.c2lnbmF0dXJlc2lnbmF0dXJl"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        (f"Authorization: Bearer {JWT}", JWT),
        (f"sent {JWT} to the service", "c2lnbmF0dXJl"),
        ('{"token": "abc def"}', "abc def"),
        ('"device_secret": "hunter2hunter2"', "hunter2"),
        ("password=hunter2", "hunter2"),
        ("turn_secret = 'hunter2'", "hunter2"),
        ("PT0123456789abcdef0123456789abcdef", "0123456789abcdef"),
        ("the API token icm_x-Y_7x-Y_7x-Y_7x-Y_7", "x-Y_7"),
        ("signed with whsec_bWFya2VkLXdlYmhvb2sta2V5LW9mLXRoZS1ob3VzZQ==", "bWFya2Vk"),
        ("https://anna:hunter2@example.com/", "hunter2"),
        ("turn:anna:hunter2@example.com:3478", "hunter2"),
        ("http://localhost/station/#pair=ABCD-1234", "ABCD"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIVATE KEY-----", "MIIEvQ"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ cut off", "MIIEvQ"),
        ("calls +15551234567", "5551234"),
    ],
)
def test_secrets_are_taken_out(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in without_secrets(text)


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz ,.\n", max_size=200))
def test_ordinary_words_stay(text: str) -> None:
    assert without_secrets(text) == text


def test_the_bundle_is_a_tar_whose_every_file_is_clean() -> None:
    data = bundle({"log": [f"INFO token {JWT}"], "status": {"state": "idle"}}, now=0.0)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        names = tar.getnames()
        texts = [file.read().decode() for name in names if (file := tar.extractfile(name)) is not None]
    assert {"intercom-diagnostics/log.json", "intercom-diagnostics/system/os-release.txt"} <= set(names)
    assert not any("eyJ" in text for text in texts)


def test_a_door_that_does_not_run_can_be_diagnosed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bundle.tar.gz"
    code = main.main(["diagnostics", "--socket", str(tmp_path / "no.sock"), "-o", str(file)])
    assert code == NOT_RUNNING
    assert "attach it to the report" in capsys.readouterr().out
    with tarfile.open(file) as tar:
        assert "intercom-diagnostics/status.json" in tar.getnames()
