"""The background tasks of one owner: they live, fail and end with it."""

from __future__ import annotations

import asyncio
import gc
import logging
import traceback
from typing import Any

import pytest

from intercom.tasks import TaskSet


async def forever() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ValueError("seven")


async def turns(count: int = 5) -> None:
    """Let the loop go round."""
    for _ in range(count):
        await asyncio.sleep(0)


async def test_a_task_that_nobody_else_holds_lives() -> None:
    tasks = TaskSet()
    reached = asyncio.get_running_loop().create_future()

    async def work() -> None:
        await turns()
        reached.set_result("the end")

    tasks.spawn(work(), name="work")
    gc.collect()
    assert await reached == "the end"


async def test_what_a_task_returns_can_be_awaited() -> None:
    assert await TaskSet().spawn(asyncio.sleep(0, "done"), name="sleeper") == "done"


async def test_a_set_says_which_tasks_run() -> None:
    tasks = TaskSet()
    tasks.spawn(forever(), name="lasting")
    await tasks.spawn(turns(), name="short")
    await turns()
    assert ("lasting" in tasks, "short" in tasks, len(tasks)) == (True, False, 1)
    await tasks.stop()


async def test_a_failure_is_given_to_the_owner_once_with_the_name_of_its_task() -> None:
    failures: list[Exception] = []
    tasks = TaskSet(failures.append)
    tasks.spawn(fail(), name="count to seven")
    await tasks.finish()
    await turns()
    (failure,) = failures
    assert "count to seven" in "".join(traceback.format_exception(failure))


async def test_a_task_may_have_somebody_of_its_own_for_its_failure() -> None:
    failures: list[Exception] = []
    own: list[Exception] = []
    tasks = TaskSet(failures.append)
    tasks.spawn(fail(), name="fail", on_failure=own.append)
    await tasks.finish()
    assert (len(own), len(failures)) == (1, 0)


async def test_a_failure_that_nobody_asked_for_goes_to_the_exception_handler_of_the_loop() -> None:
    told: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    tasks = TaskSet()
    tasks.spawn(fail(), name="count to seven")
    await tasks.finish()
    await turns()
    assert [(context["message"], str(context["exception"])) for context in told] == [
        ("The background task 'count to seven' failed", "seven")
    ]


async def test_a_failure_is_logged_once_with_the_name_of_its_task(caplog: pytest.LogCaptureFixture) -> None:
    tasks = TaskSet()
    tasks.spawn(fail(), name="count to seven")
    await tasks.finish()
    await turns()
    gc.collect()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "count to seven" in record.getMessage()


async def test_the_owner_of_a_failed_task_is_told_when_it_is_no_longer_in_the_set() -> None:
    running: list[bool] = []
    tasks = TaskSet(lambda _: running.append("fail" in tasks))
    tasks.spawn(fail(), name="fail")
    await tasks.finish()
    assert running == [False]


async def test_a_cancelled_task_has_not_failed() -> None:
    failures: list[Exception] = []
    tasks = TaskSet(failures.append)
    tasks.spawn(forever(), name="lasting")
    await turns()
    await tasks.stop()
    assert (len(tasks), failures) == (0, [])


async def test_finishing_waits_for_tasks_that_tasks_have_started() -> None:
    tasks = TaskSet()
    ended: list[str] = []

    async def second() -> None:
        await turns()
        ended.append("second")

    async def first() -> None:
        tasks.spawn(second(), name="second")

    tasks.spawn(first(), name="first")
    assert await tasks.finish()
    assert ended == ["second"]


async def test_finishing_ends_in_time_and_leaves_late_tasks_running() -> None:
    tasks = TaskSet()
    late = tasks.spawn(forever(), name="lasting")
    assert not await tasks.finish(0.0)
    assert not late.done()
    await tasks.stop()


async def test_a_task_that_refuses_to_end_is_named_and_delays_nobody(caplog: pytest.LogCaptureFixture) -> None:
    tasks = TaskSet()
    released = asyncio.Event()

    async def stubborn() -> None:
        while not released.is_set():
            try:
                await released.wait()
            except asyncio.CancelledError:
                continue

    tasks.spawn(stubborn(), name="stubborn")
    await turns()
    await tasks.stop(0.0)
    assert caplog.messages == ["Background tasks did not end within 0 s; leaving them: stubborn"]
    released.set()
    await tasks.finish()


async def test_an_empty_set_stops_at_once() -> None:
    await asyncio.wait_for(TaskSet().stop(), 30.0)
