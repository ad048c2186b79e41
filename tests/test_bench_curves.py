"""The bench of how costs grow: what bends upwards is marked, and its light clients speak to a real space."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import _scale_logs, _scale_space
from bench.curve import Curve, tables
from bench.report import Report
from bench.scale import report

SIZES = (50, 200, 800)


def test_each_point_stands_beside_its_neighbours_ratio() -> None:
    assert tables([Curve("doors", "rss_mb", SIZES, [10.0, 20.0, 30.0])])[1:] == [
        "| doors | 50 | 200 | 800 |",
        "|---|---|---|---|",
        "| `rss_mb` | 10 | 20 (x 2) | 30 (x 1.5) |",
    ]


def test_a_point_that_grows_faster_than_the_house_is_bold_and_counted() -> None:
    curve = Curve("doors", "ring_ms", SIZES, [10.0, 40.0, 640.0])
    assert [curve.is_worse_than_linear(at) for at in range(3)] == [False, False, True]
    assert "| 10 | 40 (x 4) | **640 (x 16)** |" in tables([curve])[-1]
    measured = report([curve])
    assert measured.misses("worse_than_linear")
    assert measured.notes[-1] == "Worse than linear: `ring_ms` at 800 doors."


def test_what_is_nothing_at_first_has_no_ratio() -> None:
    curve = Curve("viewers", "cpu_core", (0, 1, 2), [0.0, 0.02, 0.03])
    assert tables([curve])[-1] == "| `cpu_core` | 0 | 0.02 | 0.03 (x 1.5) |"
    assert not any(curve.is_worse_than_linear(at) for at in range(3))


def test_curves_are_kept_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DOCS", tmp_path)
    curve = Curve("doors", "rss_mb", [1, 2], [10.0, 20.0])
    command.write_docs([Report("x", {"worse_than_linear": 0}, curves=[curve])])
    assert command.load()["x"].curves == [curve]
    assert "| `rss_mb` | 10 | 20 (x 2) |" in (tmp_path / "benchmarks.md").read_text()
    assert "curves" not in json.loads(Report("y", {}).json())


async def test_light_clients_ring_and_answer_at_a_real_space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SIZES": (2, 4), "CALLS": 2, "RINGS": 1, "IDLE_S": 0.1}.items():
        monkeypatch.setattr(_scale_space, name, value)
    curves = {curve.cost: curve for curve in await _scale_space.subscribers(tmp_path)}
    assert all(list(curve.sizes) == [2, 4] for curve in curves.values())
    assert min(curves["rss_mb"].values) > 0
    few, many = curves["ring_frames"].values
    assert many > few > 0


def test_the_lists_of_a_door_and_of_a_house_are_as_long_as_they_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_scale_logs, "SIZES", (50, 200))
    curves = [*_scale_logs.call_log(tmp_path), *_scale_logs.visitors(tmp_path)]
    steps = [curve for curve in curves if curve.cost.endswith("_steps")]
    assert steps and all(few == many for few, many in (curve.values for curve in steps))
    assert all(curve.values[1] > curve.values[0] for curve in curves if curve.cost == "file_mb")
