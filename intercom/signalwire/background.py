"""Runs background tasks: it keeps them alive, reports their failures and ends them with their owner."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from intercom.signalwire.observable import report_fault


def begin(work: Coroutine[Any, Any, None], again: Callable[[], None] | None = None) -> asyncio.Task[None]:
    """Start a lasting task; its error goes to the event loop's exception handler, then `again` runs."""

    def done(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            report_fault("The client's lasting work failed", error)
            if again is not None:
                again()

    task = asyncio.get_running_loop().create_task(work)
    task.add_done_callback(done)
    return task


class Background:
    """The background tasks of one owner."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start `work` as a task; its error goes to the event loop's exception handler."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def cancel(self) -> None:
        """Cancel all tasks."""
        for task in self._tasks:
            task.cancel()

    async def finish(self) -> None:
        """Wait until all tasks have ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            report_fault("The client's work in the background failed", error)
