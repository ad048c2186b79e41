"""The tokens of the API: made once, kept as hashes, worthless when they are removed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from intercom.control.roles import PROGRAM_ROLES
from intercom.integrations.tokens import TOKENS_LIMIT, Token, TokenError, Tokens


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / "api-tokens.json")


def test_the_file_holds_no_token_and_nobody_else_reads_it(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.add("shed", "operator")
    file = tmp_path / "api-tokens.json"
    assert token not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600
    assert [kept.name for kept in tokens.all()] == ["shed"]


def test_a_token_is_found_by_what_was_printed_alone(tokens: Tokens) -> None:
    token = tokens.add("shed", "operator")
    found = tokens.find(token)
    assert found is not None
    assert (found.name, found.role) == ("shed", "operator")
    assert tokens.find(token[:-1]) is None
    assert tokens.find("ü" * 20) is None


def test_another_process_adds_and_removes_while_the_door_runs(tokens: Tokens, tmp_path: Path) -> None:
    assert tokens.all() == ()
    command_line = Tokens(tmp_path / "api-tokens.json")
    token = command_line.add("shed", "viewer")
    assert tokens.find(token) is not None
    command_line.remove("shed")
    assert tokens.find(token) is None


@pytest.mark.parametrize("role", PROGRAM_ROLES)
def test_each_role_may_do_what_the_one_before_it_may(role: str) -> None:
    token = Token("shed", role, "", "")
    assert [token.may(asked) for asked in PROGRAM_ROLES] == [
        PROGRAM_ROLES.index(asked) <= PROGRAM_ROLES.index(role) for asked in PROGRAM_ROLES
    ]


@pytest.mark.parametrize("name", ["", "a b", "x" * 65, "ü", "a/b"])
def test_a_name_is_one_word(tokens: Tokens, name: str) -> None:
    with pytest.raises(TokenError, match="expected a name"):
        tokens.add(name, "viewer")


def test_a_name_is_given_once(tokens: Tokens) -> None:
    tokens.add("shed", "viewer")
    with pytest.raises(TokenError, match="already"):
        tokens.add("shed", "viewer")


def test_what_was_never_made_cannot_be_removed(tokens: Tokens) -> None:
    with pytest.raises(TokenError, match="no token of this name"):
        tokens.remove("shed")


def test_there_are_not_too_many(tokens: Tokens) -> None:
    for number in range(TOKENS_LIMIT):
        tokens.add(f"program-{number}", "viewer")
    with pytest.raises(TokenError, match="already"):
        tokens.add("one-more", "viewer")


@pytest.mark.parametrize("content", ["", "{", "[1]", '[{"name": 1}]'])
def test_a_damaged_file_is_told_and_lets_nobody_in(tokens: Tokens, tmp_path: Path, content: str) -> None:
    (tmp_path / "api-tokens.json").write_text(content)
    with pytest.raises(TokenError, match="make the tokens anew"):
        tokens.find("icm_x")


def test_a_token_with_an_end_is_worthless_from_then_on(tmp_path: Path) -> None:
    clock = Clock()
    tokens = Tokens(tmp_path / "api-tokens.json", now=clock)
    token, other = tokens.add("shed", "opener", days=90), tokens.add("hall", "viewer")
    found = tokens.find(token)
    assert found is not None
    clock.now += timedelta(days=89, hours=23)
    assert tokens.find(token) is not None
    assert tokens.is_good(found)
    clock.now += timedelta(hours=1)
    assert tokens.find(token) is None
    assert not tokens.is_good(found)
    assert tokens.find(other) is not None
    assert [kept.name for kept in tokens.all()] == ["shed", "hall"], "who made it sees that it is over"


class Clock:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


def test_tokens_of_a_version_without_ends_have_none(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.add("shed", "viewer")
    file = tmp_path / "api-tokens.json"
    (kept,) = json.loads(file.read_text())
    file.write_text(json.dumps([{name: kept[name] for name in ("name", "role", "hash", "made_at")}]))
    assert tokens.find(token) is not None


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_token_has_an_end_that_somebody_lives_to_see(tokens: Tokens, days: int) -> None:
    with pytest.raises(TokenError, match="from 1 to 3650 days"):
        tokens.add("shed", "viewer", days=days)


@pytest.mark.parametrize("end", ['"tomorrow"', '"2027-01-01T00:00:00"', "5"])
def test_an_end_that_cannot_be_read_lets_nobody_in(tokens: Tokens, tmp_path: Path, end: str) -> None:
    token = tokens.add("shed", "viewer")
    file = tmp_path / "api-tokens.json"
    file.write_text(json.dumps([{**entry, "ends_at": json.loads(end)} for entry in json.loads(file.read_text())]))
    with pytest.raises(TokenError, match="make the tokens anew"):
        tokens.find(token)


def test_a_role_of_a_later_version_is_none(tokens: Tokens, tmp_path: Path) -> None:
    token = tokens.add("shed", "viewer")
    file = tmp_path / "api-tokens.json"
    file.write_text(json.dumps([{**entry, "role": "owner"} for entry in json.loads(file.read_text())]))
    assert tokens.find(token) is None
