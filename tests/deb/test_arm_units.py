"""Which unit tests run on an emulated aarch64, and what is told of those that do not."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.arm.units.__main__ import row, where
from tests.arm.units.leaving_out import LeftOut, left_out
from tests.hardware.kernel import UnavailableError
from tests.parts import ROOT
from tests.tally import Tally

LISTED = LeftOut(
    names={"tests/e2e": "a browser", "tests/a/test_b.py::test_c": "real time", "tests/a/test_b.py::test_d[2]": "slow"},
    fixtures={"alsa_cards": "sound"},
)
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("tests/e2e", "a browser"),
        ("tests/e2e/test_x.py", "a browser"),
        ("tests/e2e/test_x.py::test_y", "a browser"),
        ("tests/e2e_other/test_x.py::test_y", None),
        ("tests/a/test_b.py", None),
        ("tests/a/test_b.py::test_c[1]", "real time"),
        ("tests/a/test_b.py::test_cc", None),
        ("tests/a/test_b.py::test_d[2]", "slow"),
        ("tests/a/test_b.py::test_d[3]", None),
    ],
)
def test_a_test_is_left_out_by_its_name_or_by_what_it_lies_in(name: str, why: str | None) -> None:
    assert LISTED.why(name) == why


def test_a_test_is_left_out_for_what_it_asks_for() -> None:
    assert LISTED.why("tests/a/test_b.py::test_x", ("tmp_path", "alsa_cards")) == "sound"


def test_only_folders_and_files_are_not_even_imported() -> None:
    assert LISTED.files() == {"tests/e2e": "a browser"}


def test_whatever_is_on_the_list_is_there() -> None:
    for name in left_out().names:
        file, *steps = name.partition("[")[0].split("::")
        assert (ROOT / file).exists(), name
        functions = {one.name for one in ast.walk(ast.parse(text(ROOT / file))) if isinstance(one, NAMED)}
        assert set(steps) <= functions, name


def test_a_part_or_something_in_one_is_run() -> None:
    assert where("space") == ["tests/space"]
    assert where("space/auth") == ["tests/space/auth"]
    assert "tests/test_door_off.py" in where("project")
    with pytest.raises(UnavailableError, match="there is no tests/kitchen"):
        where("kitchen")


def test_a_part_s_line_counts_every_test_once() -> None:
    tally = Tally({"a": ("passed", ""), "b": ("passed", ""), "c": ("failed", "it is 2"), "d": ("skipped", "no card")})
    assert " ".join(row("space", tally, 2.04).split()) == "space 2 passed, 1 failed, 1 not run, 2.0 minutes"


def text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""
