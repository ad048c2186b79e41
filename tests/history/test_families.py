"""Figures as text, read by Prometheus's own parser."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from intercom.history import families
from intercom.history.figures import Tally


def parsed(text: str) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_histogram_adds_up() -> None:
    tally = Tally((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 7.0):
        tally.add(value)
    found = parsed(families.text([families.histogram("t_seconds", "A test.", tally)]))
    assert [found["t_seconds_bucket", (("le", bound),)] for bound in ("0.1", "1", "+Inf")] == [2, 3, 4]
    assert (found["t_seconds_sum", ()], found["t_seconds_count", ()]) == (pytest.approx(7.65), 4)


def test_odd_labels_survive() -> None:
    odd = 'a"b\\c\nd'
    family = families.each("t", "gauge", "A test.", "name", [(odd, 1.0)])
    assert parsed(families.text([family])) == {("t", (("name", odd),)): 1.0}


def test_a_figure_that_there_is_not_has_no_value() -> None:
    assert parsed(families.text([families.one("t", "gauge", "A test.", None)])) == {}
