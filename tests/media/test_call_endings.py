"""Every way a call can end frees everything; `bench call-leaks` does it two hundred times."""

from __future__ import annotations

from bench.call_leaks import ENDINGS, measure


async def test_every_ending_frees_threads_tasks_and_descriptors() -> None:
    left = await measure(calls=2 * len(ENDINGS), warm_up=len(ENDINGS))
    assert left["leaked_fds"] <= 0
    assert left["leaked_threads"] <= 0
    assert left["leaked_tasks"] <= 0
