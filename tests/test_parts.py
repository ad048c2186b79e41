"""`make test PART=NAME`: a newcomer tries one part without waiting for the others."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence

import pytest

from tests import __main__ as program
from tests.__main__ import CHECK, NO_SUCH_PART, main
from tests.parts import GUESTS, HOUSE, LIVE, PAGE, ROOT, UNHURRIED, in_shares, parts
from tests.tally import Tally

PARTS = parts(ROOT / "tests")


@pytest.fixture
def beside(monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Sequence[str]]]:
    """What runs beside the tests, of each run that is asked for; none of them takes place."""
    runs: list[Mapping[str, Sequence[str]]] = []

    def run(_shares: object, _options: object, beside: Mapping[str, Sequence[str]]) -> Tally:
        runs.append(beside)
        return Tally()

    monkeypatch.setattr(program, "run", run)
    return runs


def test_every_test_file_belongs_to_one_part() -> None:
    held = [
        file
        for paths in PARTS.values()
        for path in paths
        for file in (path.rglob("test_*.py") if path.is_dir() else [path])
    ]
    assert sorted(held) == sorted((ROOT / "tests").rglob("test_*.py"))


def test_every_part_runs_in_one_share() -> None:
    shares = in_shares(PARTS)
    paths = [path for arguments in shares.values() for path in arguments]
    assert sorted(paths) == sorted(str(path) for part in PARTS.values() for path in part)
    assert {*GUESTS, *PAGE, *HOUSE, *LIVE} < {*PARTS}
    assert {*UNHURRIED} < {*shares}


@pytest.mark.parametrize(
    "name", ["space", "signalwire", "media", "panel", "door", "cli", "opening", "security", "project"]
)
def test_a_part_of_the_house_has_tests_of_its_own(name: str) -> None:
    assert PARTS[name]


def test_an_unknown_part_lists_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--part", "spce"]) == NO_SUCH_PART
    told = capsys.readouterr().out.splitlines()
    assert told[0] == "There is no part spce of the tests. Name one of these:"
    assert [line.split()[0] for line in told[1:]] == list(PARTS)


def test_all_parts_are_tested_beside_the_check_of_everything(beside: list[Mapping[str, Sequence[str]]]) -> None:
    main([])
    assert beside == [CHECK]
    assert CHECK["make check"][::2] == ("make", "check")


def test_one_part_is_tested_without_the_check_of_everything(beside: list[Mapping[str, Sequence[str]]]) -> None:
    main(["--part", "space"])
    assert beside == [{}]


def test_one_part_runs_alone_and_says_what_was_left_out() -> None:
    command = [sys.executable, "-m", "tests", "--part", "devices", "-q", "-k", "test_roles and not test_pin"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    assert told[-2].startswith("Only the part devices: run `make check` too")
    passed, failed, _ = told[-1].split(", ")
    assert int(passed.split()[0]) > 0
    assert failed == "0 failed"
