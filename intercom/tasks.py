"""Runs background tasks: keeps them alive, reports their failures and ends them with their owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")

STOP_S = 2.0
"""Time limit of cancelled tasks: what they still do is close a connection or two."""


class TaskSet:
    """The background tasks of one owner. Belongs to the event loop that runs them."""

    def __init__(self, on_failure: Callable[[Exception], object] | None = None) -> None:
        """`on_failure` gets the error of each task that fails, once; by default the loop's exception handler does."""
        self._on_failure = on_failure
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def __contains__(self, name: str) -> bool:
        """Return whether a task of this name is running."""
        return any(task.get_name() == name for task in self._tasks)

    def spawn(
        self,
        work: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        on_failure: Callable[[Exception], object] | None = None,
    ) -> asyncio.Task[T]:
        """Start `work` as a task, by default under its function's name; `on_failure` replaces that of the set."""
        task = asyncio.get_running_loop().create_task(work, name=name or getattr(work, "__qualname__", None))
        self._tasks.add(task)
        task.add_done_callback(lambda done: self._done(done, on_failure or self._on_failure))
        return task

    def cancel(self) -> None:
        """Cancel all tasks."""
        for task in self._tasks:
            task.cancel()

    async def finish(self, within_s: float | None = None) -> bool:
        """Wait until all tasks have ended, those included that they start; return False if it takes longer."""
        try:
            async with asyncio.timeout(within_s):
                while self._tasks:
                    await asyncio.wait(self._tasks)
        except TimeoutError:
            return False
        return True

    async def stop(self, within_s: float = STOP_S) -> None:
        """Cancel all tasks and wait until they have ended; one that does not end in time is logged and left."""
        self.cancel()
        if not await self.finish(within_s):
            names = ", ".join(sorted(task.get_name() for task in self._tasks))
            logger.warning("Background tasks did not end within %g s; leaving them: %s", within_s, names)

    def _done(self, task: asyncio.Task[Any], on_failure: Callable[[Exception], object] | None) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if not isinstance(error, Exception):  # the loop itself raises what is to end the program
            return
        failure = f"The background task {task.get_name()!r} failed"
        error.add_note(failure)
        if on_failure is not None:
            on_failure(error)
        else:
            task.get_loop().call_exception_handler({"message": failure, "exception": error, "task": task})


async def bounded(name: str, stopping: Awaitable[object] | None, within_s: float) -> None:
    """Wait at most so long until a part of this name has stopped; what it raises is logged."""
    if stopping is None:
        return
    try:
        await asyncio.wait_for(stopping, within_s)
    except TimeoutError:
        logger.warning("The %s did not stop within %s s; leaving it", name, within_s)
    except Exception:
        logger.exception("The %s did not stop as it should", name)
