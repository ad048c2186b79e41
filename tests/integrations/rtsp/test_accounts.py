"""The accounts: made with a good password, kept for the door alone, and followed while it runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from intercom.integrations.rtsp.accounts import FILE, MOST_ACCOUNTS, PASSWORD_LETTERS, Accounts, AccountsError


def test_an_account_has_a_password_that_nobody_chose(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    passwords = {accounts.add(name, talk=False).password for name in ("one", "two", "three")}
    assert len(passwords) == 3
    assert all(len(password) == PASSWORD_LETTERS for password in passwords)


def test_only_the_door_reads_them(tmp_path: Path) -> None:
    Accounts(tmp_path).add("nvr", talk=False)
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_a_running_door_follows_what_a_command_changes(tmp_path: Path) -> None:
    running, command = Accounts(tmp_path), Accounts(tmp_path)
    added = command.add("nvr", talk=True)
    running.follow()
    assert running.get("nvr") == added
    command.remove("nvr")
    running.follow()
    assert running.get("nvr") is None


@pytest.mark.parametrize("name", ["", "a b", "../x", "ü", "x" * 33])
def test_a_name_that_no_client_can_send_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(AccountsError, match="is no name"):
        Accounts(tmp_path).add(name, talk=False)


def test_a_name_is_given_once(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    accounts.add("nvr", talk=False)
    with pytest.raises(AccountsError, match="already"):
        accounts.add("nvr", talk=False)


def test_there_are_only_so_many(tmp_path: Path) -> None:
    accounts = Accounts(tmp_path)
    for number in range(MOST_ACCOUNTS):
        accounts.add(f"nvr{number}", talk=False)
    with pytest.raises(AccountsError, match="remove one"):
        accounts.add("one-more", talk=False)


@pytest.mark.parametrize("content", ["{", "[]", '{"nvr": {}}', '{"a b": {"password": "x", "talk": false}}', "\xff"])
def test_a_broken_file_admits_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content, encoding="latin-1")
    assert len(Accounts(tmp_path)) == 0


def test_a_broken_file_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    with pytest.raises(AccountsError, match="cannot be read"):
        Accounts(tmp_path).add("nvr", talk=False)
    assert (tmp_path / FILE).read_text() == "{"
