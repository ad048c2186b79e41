"""The page of figures is the one that its kept reports make."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.__main__ import DOCS, names, page
from bench.report import Report, percentile


def test_the_page_is_made_from_the_kept_reports() -> None:
    kept = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page(kept)


def test_every_kept_report_is_of_a_bench_that_there_is() -> None:
    kept = json.loads((DOCS / "benchmarks.json").read_text(encoding="utf-8"))
    assert set(kept) <= set(names())


@pytest.mark.parametrize("name", names())
def test_every_bench_can_be_run_by_its_name(name: str) -> None:
    source = (Path(__file__).parent.parent / "bench" / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    assert "async def run() -> Report:" in source


def test_the_last_line_of_a_report_is_one_json_object() -> None:
    report = Report("x", {"p95_ms": 2.0}, {"p95_ms": 3.0}, {"stock_p95_ms": 4.0}, "here")
    assert json.loads(report.json()) == {
        "bench": "x",
        "figures": {"p95_ms": 2.0},
        "targets": {"p95_ms": 3.0},
        "baselines": {"stock_p95_ms": 4.0},
        "machine": "here",
    }
    assert "stock 4" in report.table()


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 95) == 3.0
    assert percentile([5.0], 50) == 5.0
