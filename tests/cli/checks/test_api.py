"""What `intercom doctor` says of the HTTP API and its tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from intercom.cli.checks.api import programs
from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.config import ApiConfig, Config
from intercom.integrations.tokens import FILE, Tokens

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
SERVES = {"url": "https://door.local:8490", "connections": 0, "trouble": ""}


def said(state_dir: Path, told: dict[str, Any] | None = SERVES, now: datetime = NOW, **settings: Any) -> list[Finding]:
    config = Config(api=ApiConfig(**{"listen": "0.0.0.0:8490", **settings}))
    doc = None if told is None else {"integrations": {"api": told}}
    return list(programs(config, doc, state_dir, now=now))


def of_tokens(state_dir: Path, now: datetime = NOW) -> list[Finding]:
    return [finding for finding in said(state_dir, now=now) if finding.what == "tokens"]


@pytest.fixture
def tokens(tmp_path: Path) -> Tokens:
    return Tokens(tmp_path / FILE, now=lambda: NOW)


def test_nothing_is_said_where_it_is_off(tmp_path: Path) -> None:
    assert list(programs(Config(), {}, tmp_path)) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, "serves the network, by TLS, at https://door.local:8490"),
        ({"listen": "127.0.0.1:8490"}, "serves this machine alone, in clear, at https://door.local:8490"),
        ({"listen": "127.0.0.1:8490", "tls": "on"}, "serves this machine alone, by TLS, at https://door.local:8490"),
        (
            {"tls": "off", "trusted_proxies": ("192.168.1.2",)},
            "serves in clear, and nobody but its reverse proxies, at https://door.local:8490",
        ),
    ],
)
def test_who_reaches_it_and_how_is_told(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    assert said(tmp_path, **settings)[0] == Finding("api", GOOD, told)


def test_a_certificate_that_is_not_good_is_bad(tmp_path: Path) -> None:
    finding = said(tmp_path, {**SERVES, "trouble": "The certificate ends tomorrow."})[0]
    assert (finding.verdict, finding.told) == (BAD, "The certificate ends tomorrow.")


def test_a_door_that_does_not_serve_is_no_riddle(tmp_path: Path) -> None:
    finding = said(tmp_path, None)[0]
    assert (finding.verdict, finding.told) == (WARNING, "no running door serves api.listen")


def test_an_api_without_a_token_is_of_use_to_nobody(tmp_path: Path) -> None:
    (finding,) = of_tokens(tmp_path)
    assert finding.verdict == WARNING
    assert "intercom api token add" in finding.mend


def test_a_token_that_may_open_and_never_ends_is_named(tokens: Tokens, tmp_path: Path) -> None:
    tokens.add("shed", "opener")
    tokens.add("board", "viewer")
    warning, good = of_tokens(tmp_path)
    assert (warning.verdict, warning.told) == (WARNING, "shed may open the door, with a token that never ends")
    assert (good.verdict, good.told) == (GOOD, "2 programs have a token; shed may open the door; 2 never end")


def test_a_token_that_only_looks_may_last(tokens: Tokens, tmp_path: Path) -> None:
    tokens.add("board", "viewer")
    assert of_tokens(tmp_path) == [
        Finding("tokens", GOOD, "one program has a token; none may open the door; 1 never ends")
    ]


def test_a_token_whose_time_is_over_is_named(tokens: Tokens, tmp_path: Path) -> None:
    tokens.add("shed", "opener", days=90)
    tokens.add("board", "viewer", days=91)
    assert [finding.verdict for finding in of_tokens(tmp_path)] == [GOOD]
    over, good = of_tokens(tmp_path, NOW + timedelta(days=90))
    assert (over.verdict, over.told) == (WARNING, "shed: the time of the token is over")
    assert good.told == "one program has a token; none may open the door; each has an end"


def test_a_file_that_others_can_read_is_bad(tokens: Tokens, tmp_path: Path) -> None:
    tokens.add("board", "viewer")
    (tmp_path / FILE).chmod(0o644)
    finding = of_tokens(tmp_path)[0]
    assert finding.verdict == BAD
    assert "can be read by others (mode 0644)" in finding.told


def test_a_damaged_file_is_bad(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("{")
    (finding,) = of_tokens(tmp_path)
    assert finding.verdict == BAD
    assert FILE in finding.told
