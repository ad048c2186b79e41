"""Keep the door station's parts going: restart failed parts, give up a call without sound, end the program."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from intercom.door.health.faults import Ends, Faults, Part
from intercom.door.health.supervisor import PartFailedError, Restart, Supervisor
from intercom.door.machine import Decision, Fault, Machine, Phase
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

PACKAGE = Path(__file__).parents[2]
INTEGRATIONS = PACKAGE / "integrations"
Work = Callable[[], Coroutine[Any, Any, None]]
"""Lasting work: it ends only when it fails."""

_NOTICED = frozenset(Part) & frozenset(Fault)
"""Parts whose faults visitors notice."""


class Restarts:
    """The supervisor of a door, with the restarts of each part. Belongs to the event loop."""

    def __init__(
        self,
        restarts: Mapping[Part, Restart | None],
        *,
        machine: Machine,
        faults: Faults,
        broken: Callable[[], object],
    ) -> None:
        """Supervise these parts, each restarted by its function; `broken` shows that the program ends."""
        self._machine = machine
        self._faults = faults
        self._broken = broken
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._ends_after_call: PartFailedError | None = None
        self._lasting: list[tuple[str, Work, Part]] = []
        self._chores = TaskSet()
        "lasting tasks that run, by name"
        self._supervisor = Supervisor(self, give_up=self._give_up)
        for part, restart in restarts.items():
            self._supervisor.watch(part, restart)

    def keep(self, name: str, work: Work, part: Part = Part.HOUSEKEEPING) -> None:
        """Run lasting work from the start on, and again when its part is restarted."""
        self._lasting.append((name, work, part))

    def start(self) -> None:
        """Begin the lasting tasks, and supervise them."""
        self._loop.set_exception_handler(self._unhandled)
        threading.excepthook = self._thread_died
        self.begin_lasting()

    def stop(self) -> None:
        """Cancel all restarts and tasks."""
        self._supervisor.close()
        self._chores.cancel()
        self._loop.set_exception_handler(None)
        threading.excepthook = threading.__excepthook__

    async def wait_ended(self) -> None:
        """Wait until the program must end to be restarted, and raise the reason."""
        await self._ended

    # -- what fails ------------------------------------------------------------------------------------

    def failed(self, part: Part, error: BaseException) -> None:
        """Report a failed part."""
        self._supervisor.failed(part, error)

    def failed_elsewhere(self, part: Part, error: BaseException) -> None:
        """Report a failed part from any thread."""
        self._loop.call_soon_threadsafe(self.failed, part, error)

    def _unhandled(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Exception) or not (context.get("part") or _is_ours(error)):
            loop.default_exception_handler(context)
        else:
            self.failed(Part(context.get("part") or _part_of(error)), error)

    def _thread_died(self, died: threading.ExceptHookArgs) -> None:
        if isinstance(died.exc_value, Exception) and _is_ours(died.exc_value):
            self.failed_elsewhere(_part_of(died.exc_value), died.exc_value)
        else:
            threading.__excepthook__(died)

    def part_failed(self, part: Part, why: str) -> None:
        """Open the fault of a part. The machine takes those that visitors notice, in a turn of its own."""
        if part in _NOTICED:
            self._loop.call_soon(self._machine.fault, Fault(part), why)
        else:
            self._faults.begin(part, why)

    def part_works(self, part: Part) -> None:
        """Clear the fault of a part that was restarted."""
        if part in _NOTICED:
            self._loop.call_soon(self._machine.fault_cleared, Fault(part))
        else:
            self._faults.clear(part)

    # -- what is given up ------------------------------------------------------------------------------

    def decided(self, decision: Decision) -> None:
        """Run the actions that waited for the end of the call, once the machine has decided that it is over."""
        if self._ends_after_call is not None and decision.phase is Phase.NONE:
            self._end(self._ends_after_call)

    def _give_up(self, error: PartFailedError, ends: Ends) -> None:
        if ends is Ends.AT_ONCE or self._machine.phase is Phase.NONE:
            self._end(error)
        else:
            logger.error("%s as soon as the call is over", error)
            self._ends_after_call = error

    def _end(self, error: PartFailedError) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)
            self._broken()

    # -- lasting work ----------------------------------------------------------------------------------

    def begin_lasting(self) -> None:
        """Begin the lasting work that does not run."""
        for name, work, part in self._lasting:
            if name not in self._chores:
                self._chores.spawn(work(), name=name, on_failure=partial(self.failed, part))


def _part_of(error: BaseException) -> Part:
    """Return the integration in whose room an error was raised or passed, else the housekeeping."""
    for frame in traceback.extract_tb(error.__traceback__):
        path = Path(frame.filename)
        if path.is_relative_to(INTEGRATIONS):
            room = path.relative_to(INTEGRATIONS).parts[0]
            return next((part for part in Part if part.value == room), Part.HOUSEKEEPING)
    return Part.HOUSEKEEPING


def _is_ours(error: BaseException) -> bool:
    """Return whether our own code had a part in an error; libraries fix their own troubles."""
    return any(Path(frame.filename).is_relative_to(PACKAGE) for frame in traceback.extract_tb(error.__traceback__))
