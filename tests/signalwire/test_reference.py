"""Every member of the reference client has its place here, and the page says which."""

from __future__ import annotations

import re

import pytest

from intercom import signalwire
from tests.signalwire.reference import (
    CLASSES,
    DECLARED,
    HOMES,
    INHERITS,
    NEWEST,
    PAGE,
    PUBLISHED,
    difference,
    has,
    ours,
    page_with,
    public,
    rows,
    tables,
)
from tests.signalwire.reference_differences import DIFFERENCES, MODULES, OURS_ALONE

ROWS = [(kind, member) for kind in HOMES for member in rows(kind)]
REFERS = re.compile(r"`(?:(\w+)\.)?(\w+)`")


def test_the_tables_are_made_of_what_npm_has_and_of_what_comes_next() -> None:
    assert DECLARED.keys() == {PUBLISHED, NEWEST}


@pytest.mark.parametrize(("kind", "member"), ROWS, ids=lambda value: value)
def test_a_member_of_the_reference_is_here_or_it_is_said_why_not(kind: str, member: str) -> None:
    differs = difference(kind, member)
    here = [name for name in ours(member) if has(HOMES[kind], name)]
    assert differs.because or here[:1] == ours(member)[:1], f"{kind} lacks {ours(member)[0]}, without a reason"
    assert differs.ours or here, f"{kind} has nothing for {member}, and does not say that it is left out"


@pytest.mark.parametrize(("kind", "member"), ROWS, ids=lambda value: value)
def test_what_stands_in_for_a_member_exists(kind: str, member: str) -> None:
    for owner, name in REFERS.findall(difference(kind, member).ours):
        home = {"": HOMES[kind], **CLASSES, **MODULES}.get(owner) or getattr(signalwire, owner)
        assert has(home, name), f"{home.__name__} has no {name}"


@pytest.mark.parametrize("kind", CLASSES)
def test_a_snapshot_that_shares_a_row_is_here_too(kind: str) -> None:
    names = DECLARED[NEWEST][kind]
    shared = [name for name in names if f"{name}$" in names and not difference(kind, f"{name}$").ours]
    assert not [name for name in shared if not has(HOMES[kind], ours(name)[0])]


@pytest.mark.parametrize("kind", HOMES)
def test_what_only_our_client_has_is_named_with_its_use(kind: str) -> None:
    theirs = {name for member in [*rows(kind), *rows(INHERITS.get(kind, kind))] for name in ours(member)}
    if kind not in CLASSES:  # another name of an option is its own row
        theirs |= {name for member in rows(kind) for _, name in REFERS.findall(difference(kind, member).ours)}
    alone = {name for names, _ in OURS_ALONE.get(kind, ()) for name in names}
    assert public(HOMES[kind]) - theirs == alone


def test_no_difference_is_told_of_what_the_reference_does_not_have() -> None:
    told = {(kind, member) for kind, members in DIFFERENCES.items() for member in members}
    assert not told - set(ROWS)


def test_the_page_says_what_the_code_does() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == page_with(tables(), page), "run `make docs`"
