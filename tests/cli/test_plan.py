"""`intercom plan` explains whom a press would ring at a given time, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.cli.plan import moment_of

CONFIG = """
[call]
holidays = ["12-26"]

[[call.plan]]
name = "day"
ring = ["/private/kitchen", "/private/hall"]
ring_time_s = 20
refused = "device"
days = ["mon", "tue", "wed", "thu", "fri"]

[[call.plan]]
name = "always"
ring = ["/private/house"]
notify = ["mail"]

[[call.plan]]
plan = "office"
notify = ["mail"]

[[notify]]
url = "mailto://door:secret@mail.example"
name = "mail"

[[panel.button]]
gpio = 5
name = "House"

[[panel.button]]
gpio = 6
name = "Office"
plan = "office"
"""


@pytest.fixture
def config(tmp_path: Path) -> str:
    file = tmp_path / "intercom.toml"
    file.write_text(CONFIG)
    return str(file)


def test_it_says_who_rings_for_how_long_and_what_is_left_out(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["plan", "--config", config, "--at", "2026-12-26 23:10", "--button", "House"]) == 0
    assert capsys.readouterr().out == (
        "Sat 2026-12-26, a holiday, 23:10:\n"
        'The button "House" rings:\n'
        "  1  always: /private/house for 30 s and tells mail\n"
        "  When nobody has answered for 30 s in all, the visitor hears it.\n"
        "  Left out: day, as it counts on mon, tue, wed, thu, fri only.\n"
    )


def test_it_tells_of_every_button_where_none_is_named(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["plan", "--config", config, "--at", "2026-12-14 09:00"]) == 0
    told = capsys.readouterr().out
    assert "  1  day: /private/kitchen and /private/hall for 20 s (who declines does so for their device alone)" in told
    assert 'The button "Office" tells:\n  1  tells mail\n' in told


def test_it_tells_the_same_as_json(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["plan", "--config", config, "--at", "2026-12-14 09:00", "--button", "House", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["buttons"]
    assert [step["name"] for step in found["steps"]] == ["day", "always"]


@pytest.mark.parametrize(
    ("words", "said"), [(["--at", "noon"], "expected a time like"), (["--button", "Attic"], 'no button "Attic"')]
)
def test_what_it_does_not_understand_it_says(
    config: str, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    assert main.main(["plan", "--config", config, *words]) == 1
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("23:10", "2026-11-29 23:10"),
        ("Sat 23:10", "2026-12-05 23:10"),
        ("sunday 08:00", "2026-11-29 08:00"),
        ("2026-12-24 18:00", "2026-12-24 18:00"),
    ],
)
def test_a_time_is_said_as_people_say_it(said: str, meant: str) -> None:
    sunday = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
    assert f"{moment_of(said, sunday):%Y-%m-%d %H:%M}" == meant
