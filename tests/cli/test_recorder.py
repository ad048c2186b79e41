"""`intercom recorder`: accounts for whoever watches."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.integrations.rtsp.accounts import Accounts


@pytest.fixture
def places(tmp_path: Path) -> list[str]:
    config = tmp_path / "intercom.toml"
    config.write_text('[rtsp]\nlisten = "0.0.0.0:8554"\n')
    return ["--config", str(config), "--state-dir", str(tmp_path / "state")]


def test_a_new_account_is_printed_with_its_url_once(
    places: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main.main(["recorder", "add", "nvr", *places]) == 0
    account = Accounts(tmp_path / "state").get("nvr")
    assert account is not None
    assert f"rtsp://nvr:{account.password}@ADDRESS-OF-THE-DOOR:8554/door" in capsys.readouterr().out
    assert main.main(["recorder", "list", *places]) == 0
    assert account.password not in capsys.readouterr().out


def test_the_list_tells_who_may_talk_and_open(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["recorder", "add", "nvr", *places])
    main.main(["recorder", "add", "hall", "--talk", "--open", *places])
    capsys.readouterr()
    assert main.main(["recorder", "list", "--json", *places]) == 0
    assert json.loads(capsys.readouterr().out) == [
        {"name": "nvr", "talk": False, "open": False},
        {"name": "hall", "talk": True, "open": True},
    ]


def test_it_says_what_a_client_needs_to_open(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main.main(["recorder", "add", "nvr", *places])
    assert "auth-int" not in capsys.readouterr().out
    main.main(["recorder", "add", "hall", "--open", *places])
    assert "qop=auth-int" in capsys.readouterr().out


def test_a_removed_account_is_gone(places: list[str], tmp_path: Path) -> None:
    main.main(["recorder", "add", "nvr", *places])
    assert main.main(["recorder", "remove", "nvr", *places]) == 0
    assert len(Accounts(tmp_path / "state")) == 0


def test_what_cannot_be_done_is_said_in_one_sentence(places: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["recorder", "remove", "nobody", *places]) == 1
    assert "there is no recorder named 'nobody'" in capsys.readouterr().err


def test_it_says_when_rtsp_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "intercom.toml"
    config.write_text("")
    main.main(["recorder", "add", "nvr", "--config", str(config), "--state-dir", str(tmp_path)])
    assert "Nobody can watch yet" in capsys.readouterr().out
