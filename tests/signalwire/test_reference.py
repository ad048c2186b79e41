"""Every member of the reference client has its place here, and the page says which."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.signalwire.reference import (
    CLASSES,
    DOCUMENTED_ONLY,
    PAGE,
    REFERENCE,
    STAND_INS,
    cell,
    has,
    ours,
    page_with,
    tables,
)

DECLARED: dict[str, list[str]] = json.loads(
    (Path(__file__).parents[1] / "reference" / "members.json").read_text(encoding="utf-8")
)["members"]
ROWS = [(kind, member) for kind, members in REFERENCE.items() for member in members.split()]


@pytest.mark.parametrize(("kind", "member"), ROWS, ids=lambda value: value)
def test_a_member_of_the_reference_is_here_or_something_stands_in(kind: str, member: str) -> None:
    if member in STAND_INS.get(kind, {}):
        return
    missing = [name for name in ours(member)[:1] if not has(CLASSES[kind], name)]
    assert not missing, f"{kind} lacks {missing[0]}"
    assert cell(kind, member)


@pytest.mark.parametrize("kind", DECLARED)
def test_every_member_that_the_package_declares_has_a_row(kind: str) -> None:
    rows = set(REFERENCE[kind].split())
    missing = [name for name in DECLARED[kind] if not {name, f"{name}$"} & rows]
    assert not missing, f"{kind} has no row for {', '.join(missing)}"


@pytest.mark.parametrize("kind", DECLARED)
def test_a_snapshot_that_shares_a_row_is_here_too(kind: str) -> None:
    rows = set(REFERENCE[kind].split()) - set(STAND_INS.get(kind, {}))
    shared = [name for name in DECLARED[kind] if name not in rows and f"{name}$" in rows]
    assert not [name for name in shared if not has(CLASSES[kind], ours(name)[0])]


def test_no_row_names_what_the_package_does_not_declare() -> None:
    declared = {(kind, name) for kind, names in DECLARED.items() for name in names}
    assert set(ROWS) - declared == DOCUMENTED_ONLY


def test_nothing_stands_in_for_what_the_reference_does_not_have() -> None:
    assert {kind: sorted(members) for kind, members in STAND_INS.items()} == {
        kind: sorted(set(members) & set(REFERENCE[kind].split())) for kind, members in STAND_INS.items()
    }


def test_the_page_says_what_the_code_does() -> None:
    page = PAGE.read_text()
    assert page == page_with(tables(), page), "run python -m tests.signalwire.reference"
