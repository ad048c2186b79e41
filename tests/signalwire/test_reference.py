"""Every member of the reference client has its place here, and the page says which."""

from __future__ import annotations

import pytest

from tests.signalwire.reference import CLASSES, PAGE, REFERENCE, STAND_INS, cell, has, ours, page_with, tables

ROWS = [(kind, member) for kind, members in REFERENCE.items() for member in members.split()]


@pytest.mark.parametrize(("kind", "member"), ROWS, ids=lambda value: value)
def test_a_member_of_the_reference_is_here_or_something_stands_in(kind: str, member: str) -> None:
    if member in STAND_INS.get(kind, {}):
        return
    missing = [name for name in ours(member)[:1] if not has(CLASSES[kind], name)]
    assert not missing, f"{kind} lacks {missing[0]}"
    assert cell(kind, member)


def test_nothing_stands_in_for_what_the_reference_does_not_have() -> None:
    assert {kind: sorted(members) for kind, members in STAND_INS.items()} == {
        kind: sorted(set(members) & set(REFERENCE[kind].split())) for kind, members in STAND_INS.items()
    }


def test_the_page_says_what_the_code_does() -> None:
    page = PAGE.read_text()
    assert page == page_with(tables(), page), "run python -m tests.signalwire.reference"
