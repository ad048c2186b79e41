"""The page of figures is the one that its kept reports make."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import math
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType
from xml.etree import ElementTree

import pytest

from bench import __main__ as command
from bench import call_cost, network, pi, press_to_feedback, replug, start
from bench.__main__ import DOCS, load, names, page, pictures
from bench._hearing import Words
from bench._stock_cost import Figures
from bench._system_calls import WITHOUT_STRACE, Calls, calls_by_name, count
from bench.mouth_to_ear import Measured
from bench.network import ADDRESSES
from bench.plot import MOST_POINTS, Plot, thinned
from bench.report import IMAGES, CannotRunError, Report, percentile
from tests.network.door import config
from tests.network.processes import SETTLED_S


def test_the_page_is_made_from_the_kept_reports() -> None:
    assert (DOCS / "benchmarks.md").read_text(encoding="utf-8") == page(load())


def test_the_pictures_are_drawn_from_the_kept_series() -> None:
    drawn = {f"{IMAGES}/{file.name}": file.read_text(encoding="utf-8") for file in (DOCS / IMAGES).glob("*.svg")}
    assert drawn == pictures(load())


def test_every_kept_report_is_of_a_bench_that_there_is() -> None:
    assert set(load()) <= set(names())


@pytest.mark.parametrize("name", names())
def test_every_bench_can_be_run_by_its_name(name: str) -> None:
    source = (Path(__file__).parent.parent / "bench" / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8")
    assert "async def run() -> Report:" in source


@pytest.mark.timeout(900)  # each starts doors, one after the other, which a busy machine gives no time
@pytest.mark.parametrize(("bench", "how_often"), [(press_to_feedback, "PRESSES"), (start, "STARTS")])
def test_a_bench_measures_what_it_has_a_target_for(
    bench: ModuleType, how_often: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, how_often, 1)
    report: Report = asyncio.run(bench.run())
    assert report.targets and set(report.targets) <= set(report.figures)
    assert report.baselines, "nothing to compare it with"
    assert all(math.isfinite(value) and value > 0 for value in (*report.figures.values(), *report.baselines.values()))


def test_a_target_without_its_figure_is_refused() -> None:
    with pytest.raises(ValueError, match="bench x: targets without a figure: p95_ms"):
        Report("x", {"p50_ms": 2.0}, {"p95_ms": 3.0})


@pytest.mark.parametrize("name", ["recovered_after_s", "x_score"])
def test_what_could_not_be_measured_misses_its_target_and_says_so(name: str) -> None:
    report = Report("x", {name: math.nan}, {name: 3.0}, machine="here")
    assert report.misses(name)
    assert json.loads(report.json())["figures"] == {name: None}
    assert "not measured" in report.table()
    assert "not measured" in report.markdown()


def test_a_scene_after_which_nothing_was_said_has_no_time_of_recovery() -> None:
    assert math.isnan(Measured([], [], 1.0).recovered_after_s)


def test_a_scene_that_words_stay_late_after_has_not_recovered() -> None:
    late = [Words(10.0 + second, 200.0) for second in range(6)]
    assert Measured([], late, 1.0).recovered_after_s == 5.0


def test_the_one_call_of_the_network_bench_is_not_ended_by_the_door_s_own_limit() -> None:
    outages_s = 2 * sum(network.OUTAGES_S) + 2 * ADDRESSES * network.AWAY_S + network.RESTARTS * network.DOWN_S
    events = 2 * len(network.OUTAGES_S) + 2 * ADDRESSES + network.RESTARTS
    least_s = outages_s + events * (network.STEADY_S + SETTLED_S)
    longest_s = outages_s + events * (network.STEADY_S + network.GIVEN_UP_S)
    assert least_s > 200
    assert config().call.time_limit_s > 2 * longest_s


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


def test_a_baseline_stands_beside_the_figure_that_it_is_of_and_no_other() -> None:
    report = Report(
        "x", {"p95_ms": 2.0, "loss2_p95_ms": 3.0}, baselines={"stock_p95_ms": 4.0, "stock_loss2_p95_ms": 5.0}
    )
    rows = [line.split() for line in report.table().splitlines() if "p95_ms" in line]
    assert rows == [["p95_ms", "2", "stock", "4"], ["loss2_p95_ms", "3", "stock", "5"]]


def test_a_missed_target_is_marked_and_one_that_is_met_is_not() -> None:
    report = Report("x", {"p95_ms": 2.0, "gap_ms": 9.0, "erle_db": 30.0}, {"p95_ms": 3.0, "gap_ms": 8.0, "erle_db": 40})
    assert [report.misses(name) for name in report.figures] == [False, True, True]
    assert [line.split()[0] for line in report.table().splitlines() if "MISSED" in line] == ["gap_ms", "erle_db"]
    assert "| `gap_ms` | **9** | 8 |" in report.markdown()


def test_a_bench_that_cannot_run_here_says_why_and_keeps_no_other_from_running(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def run(name: str) -> Report:
        if name == "exposure":
            raise CannotRunError("there is no systemd-analyze here")
        return Report(name, {"p95_ms": 2.0})

    monkeypatch.setattr(command, "run", run)
    monkeypatch.setattr(command.sys, "argv", ["bench", "exposure", "start"])
    assert command.main() == 1
    told = capsys.readouterr()
    assert told.err == "bench exposure: there is no systemd-analyze here\n"
    assert '"bench": "start"' in told.out.splitlines()[-1]


async def test_the_replug_bench_says_why_it_cannot_run_where_there_is_no_kernel(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("INTERCOM_HARDWARE", "off")
    with pytest.raises(CannotRunError, match="INTERCOM_HARDWARE=off"):
        await replug.run()


async def test_the_bench_of_a_pi_says_why_it_cannot_run_without_qemu(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(CannotRunError, match="apt-get install qemu-system-arm"):
        await pi.run()


async def test_the_network_bench_says_why_it_cannot_run_without_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(CannotRunError, match="need root"):
        await network.run()


def test_a_bench_whose_package_is_missing_says_so_before_it_measures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CannotRunError, match=r"no Python package webrtc: `\./setup.sh --bench`"):
        asyncio.run(call_cost.run())


async def test_cases_are_measured_by_turns_and_every_other_round_begins_with_the_last() -> None:
    order: list[str] = []

    def case(name: str, core: float) -> Callable[[], Awaitable[Figures]]:
        async def measure() -> Figures:
            order.append(name)
            return core * (1 + order.count(name)), 70.0 + order.count(name)

        return measure

    measured = await call_cost.by_turns({"av": case("av", 0.02), call_cost.BESIDE: case("theirs", 0.04)}, rounds=3)
    assert order == ["av", "theirs", "theirs", "av", "av", "theirs"]
    assert call_cost.beside(measured, "av") == [0.5, 0.5, 0.5]
    assert call_cost.middle(measured["av"]) == (0.06, 71.0)


async def test_without_strace_the_calls_are_not_counted_and_the_note_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    calls = await count(os.getpid(), seconds=0)
    assert math.isnan(calls.syscalls)
    assert math.isfinite(calls.wakeups)
    assert calls.note("syscalls") == WITHOUT_STRACE


def test_the_calls_are_read_from_straces_table() -> None:
    table = """\
syscall              calls
---------------- ---------
sendto                 680
futex                    1
---------------- ---------
total                  681
"""
    assert calls_by_name(table) == {"sendto": 680, "futex": 1}
    assert Calls(3, 681, {"sendto": 680, "futex": 1}).note("syscalls") == (
        "syscalls: a second, by strace; 680 sendto, 1 futex."
    )


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 95) == 3.0
    assert percentile([5.0], 50) == 5.0


def test_a_plot_is_kept_drawn_and_shown_on_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "DOCS", tmp_path)
    plot = Plot("delay", "Delay <here>", "time, s", "delay, ms", {"ours": [(0, 40.0), (1, None), (2, 41.0)]}, target=80)
    command.write_docs([Report("x", {"p95_ms": 2.0}, plots=[plot])])
    command.write_docs([Report("y", {"p95_ms": 2.0})])
    assert "![Delay <here>](images/bench/x-delay.svg)" in (tmp_path / "benchmarks.md").read_text()
    picture = ElementTree.parse(tmp_path / IMAGES / "x-delay.svg")
    (line,) = [path.get("d", "") for path in picture.iter("{http://www.w3.org/2000/svg}path")]
    assert line.count("M") == 2, "the line breaks where nothing was measured"
    assert (tmp_path / IMAGES / "x-delay.svg").read_text() == pictures(load())["images/bench/x-delay.svg"]


def test_a_long_line_is_thinned_and_keeps_its_peak() -> None:
    line = [(float(n), 900.0 if n == 7777 else 40.0) for n in range(20_000)]
    assert len(thinned(line)) <= MOST_POINTS
    assert (7777.0, 900.0) in thinned(line)
