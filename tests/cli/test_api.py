"""`intercom api token` makes, lists and removes the tokens of the API."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.running_door.remote import OK, TROUBLE
from intercom.integrations.tokens import Tokens


@pytest.fixture
def state(tmp_path: Path) -> list[str]:
    config = tmp_path / "intercom.toml"
    config.write_text('[api]\nlisten = "127.0.0.1:8490"\n')
    return ["--config", str(config), "--state-dir", str(tmp_path / "state")]


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main.main(["api", "token", *words])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_a_token_is_printed_once_and_lets_its_program_in(
    state: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "add", "shed", "--role", "opener", *state)
    token = out.splitlines()[0]
    found = Tokens(tmp_path / "state" / "api-tokens.json").find(token)
    assert code == OK
    assert found is not None
    assert found.role == "opener"
    assert token not in run(capsys, "list", *state)[1]


def test_a_new_token_may_only_look(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "shed", *state)
    (listed,) = json.loads(run(capsys, "list", "--json", *state)[1])
    assert (listed["name"], listed["role"]) == ("shed", "viewer")
    assert "hash" not in listed


def test_a_token_for_some_days_is_listed_with_its_end(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "for 90 days" in run(capsys, "add", "shed", "--days", "90", *state)[1]
    run(capsys, "add", "hall", *state)
    shed, hall = json.loads(run(capsys, "list", "--json", *state)[1])
    made, ends = (datetime.fromisoformat(shed[name]) for name in ("made_at", "ends_at"))
    assert (ends - made, hall["ends_at"]) == (timedelta(days=90), None)
    assert [line.split()[-1] for line in run(capsys, "list", *state)[1].splitlines()[2:]] == ["never"]


def test_a_removed_token_is_gone(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "add", "shed", *state)
    assert run(capsys, "remove", "shed", *state)[0] == OK
    assert run(capsys, "list", *state)[1] == "There are no tokens; `intercom api token add NAME` makes one.\n"


def test_an_unknown_name_is_told(state: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "remove", "shed", *state)
    assert code == TROUBLE
    assert "no token of this name" in err


def test_it_says_that_the_api_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "intercom.toml"
    config.write_text("")
    assert "set api.listen" in run(capsys, "add", "shed", "--config", str(config), "--state-dir", str(tmp_path))[1]
