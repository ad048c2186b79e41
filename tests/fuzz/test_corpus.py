"""Whole inputs are read, what once was a finding is none any more, and fresh broken inputs find nothing."""

from __future__ import annotations

import pytest

from tests.fuzz.run import Report, feed, kept, unexpected
from tests.fuzz.targets import TARGETS, Target

INPUTS = 500
"""Broken inputs for each target in an ordinary run of the tests: most of a second. They are the same each time, so that
more of them find little in the next run; `make fuzz` has others, and what it once found is kept."""

pytestmark = pytest.mark.timeout(900)  # what is served by HTTP takes seconds of a processor, and more on a busy one

each = pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)


@each
def test_whole_inputs_are_read(target: Target) -> None:
    read = target.make()
    assert [unexpected(read, seed) for seed in target.seeds] == [None] * len(target.seeds)


@each
def test_what_was_found_once_is_found_no_more(target: Target) -> None:
    assert [where for data in kept(target.name) if (where := unexpected(target.make(), data)) is not None] == []


@each
def test_broken_inputs_raise_nothing_that_nobody_expects(target: Target) -> None:
    report: Report = feed(target, seed=1, goes_on=lambda inputs: inputs < INPUTS)
    assert report.findings == {}
