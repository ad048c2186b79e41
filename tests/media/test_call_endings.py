"""Every way a call can end frees everything: the loop of `bench call-leaks`, two hundred calls long."""

from __future__ import annotations

import pytest

from bench.call_leaks import CALLS, measure

ROOM_MB = 16.0
"""The heap of a process in which two thousand tests ran wavers by some MB; one picture leaked a call would be 250."""


async def test_two_hundred_calls_leave_nothing_behind_and_no_complaint(caplog: pytest.LogCaptureFixture) -> None:
    left = await measure(CALLS)
    assert left["leaked_fds"] <= 0
    assert left["leaked_threads"] <= 0
    assert left["leaked_tasks"] <= 0
    assert left["rss_growth_mb"] < ROOM_MB
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
