"""Keep the door station's parts going: restart failed parts, give up a call without sound, end the program."""

from __future__ import annotations

import asyncio
import logging
import threading
import traceback
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from intercom.door.health.disk_watch import DiskWatch
from intercom.door.health.faults import Ends, Part
from intercom.door.health.supervisor import PartFailedError, Supervisor
from intercom.door.machine import Decision, Fault, Phase
from intercom.media.echo.canceller import EchoCanceller
from intercom.media.echo.watch import EchoWatch
from intercom.tasks import TaskSet

if TYPE_CHECKING:
    from intercom.door.appliance import Appliance

logger = logging.getLogger(__name__)

PACKAGE = Path(__file__).parents[2]
ECHO_LOOK_S = 1.0
"""Interval of the echo estimates: speech is judged by the second."""

_NOTICED = frozenset(Part) & frozenset(Fault)
"""Parts whose faults visitors notice."""


class Upkeep:
    """The appliance's supervisor, and its restarts of each part. Belongs to the event loop."""

    def __init__(self, door: Appliance) -> None:
        self._door = door
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._ends_after_call: PartFailedError | None = None
        self._chores = TaskSet()
        "lasting tasks, by name"
        self._disk = DiskWatch(
            door.state_dir,
            full=lambda why: door.faults.begin(Part.DISK, why),
            room=lambda: door.faults.clear(Part.DISK),
        )
        self._supervisor = Supervisor(self, give_up=self._give_up)
        for part, restart in {
            Part.AUDIO_THREAD: self._restart_engine,
            Part.BUTTON: self._restart_button,
            Part.LIGHTS: self._restart_lights,
            Part.RELAY: None,
            Part.GUARD: self._look_after_guard,
            Part.CAMERA_PINS: None,
            Part.CALLS: self._mend_calls,
            Part.CLIENT: self._renew_client,
            Part.CONTROL_SOCKET: door.commands.restart_socket,
            Part.METRICS: door.commands.restart_figures,
            Part.CALL_LOG: None,
            Part.DISK: None,
            Part.HOUSEKEEPING: self._do_chores,
        }.items():
            self._supervisor.watch(part, restart)

    def start(self) -> None:
        """Begin the lasting tasks, and supervise them."""
        self._loop.set_exception_handler(self._unhandled)
        threading.excepthook = self._thread_died
        self._begin_chores()

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
            self.failed(Part(context.get("part", Part.HOUSEKEEPING)), error)

    def _thread_died(self, died: threading.ExceptHookArgs) -> None:
        if isinstance(died.exc_value, Exception) and _is_ours(died.exc_value):
            self.failed_elsewhere(Part.HOUSEKEEPING, died.exc_value)
        else:
            threading.__excepthook__(died)

    def part_failed(self, part: Part, why: str) -> None:
        """Open the fault of a part. The machine takes those that visitors notice, in a turn of its own."""
        if part in _NOTICED:
            self._loop.call_soon(self._door.machine.fault, Fault(part), why)
        else:
            self._door.faults.begin(part, why)

    def part_works(self, part: Part) -> None:
        """Clear the fault of a part that was restarted."""
        if part in _NOTICED:
            self._loop.call_soon(self._door.machine.fault_cleared, Fault(part))
        else:
            self._door.faults.clear(part)

    # -- what is given up ------------------------------------------------------------------------------

    def decided(self, decision: Decision) -> None:
        """Run the actions that waited for the end of the call, once the machine has decided that it is over."""
        if self._ends_after_call is not None and decision.phase is Phase.NONE:
            self._end(self._ends_after_call)

    def _give_up(self, error: PartFailedError, ends: Ends) -> None:
        if ends is Ends.AT_ONCE or self._door.machine.phase is Phase.NONE:
            self._end(error)
        else:
            logger.error("%s as soon as the call is over", error)
            self._ends_after_call = error

    def _end(self, error: PartFailedError) -> None:
        if not self._ended.done():
            self._ended.set_exception(error)
            self._door.signs.broken()

    # -- what is started again -------------------------------------------------------------------------

    async def _restart_engine(self) -> None:
        await asyncio.to_thread(self._door.engine.restart)

    async def _restart_button(self) -> None:
        self._door.panel.restart("button")

    async def _restart_lights(self) -> None:
        self._door.panel.restart("lights")

    async def _look_after_guard(self) -> None:
        await asyncio.to_thread(self._door.panel.restart, "guard")

    async def _mend_calls(self) -> None:
        self._door.plan.end_what_nobody_follows()

    async def _renew_client(self) -> None:
        self._door.follow_client()
        self._begin_chores()
        self._door.client.renew()

    async def _do_chores(self) -> None:
        self._begin_chores()
        if self._door.camera is not None:
            self._door.camera.resume()

    # -- lasting work ----------------------------------------------------------------------------------

    def _begin_chores(self) -> None:
        """Begin the lasting tasks that do not run."""
        self._chore("registering", self._door.stay_registered, Part.CLIENT)
        self._chore("night", self._door.loudness.watch_the_clock)
        self._chore("call log", self._door.logbook.forget_daily)
        self._chore("disk", self._disk.run)
        if isinstance(canceller := self._door.canceller, EchoCanceller):
            self._chore("echo", lambda: self._watch_echo(canceller))

    def _chore(self, name: str, work: Callable[[], Coroutine[Any, Any, None]], part: Part = Part.HOUSEKEEPING) -> None:
        if name not in self._chores:
            self._chores.spawn(work(), name=name, on_failure=partial(self.failed, part))

    async def _watch_echo(self, canceller: EchoCanceller) -> None:
        watch = EchoWatch()
        while True:
            await asyncio.sleep(ECHO_LOOK_S)
            entry = self._door.logbook.call
            fallen = watch.look(None if entry is None else entry.call.id, canceller.stats())
            if fallen is not None:
                logger.warning(
                    "The house hears itself: the echo is only %.0f dB softer. Turn the speaker down with `intercom "
                    "volume`; `intercom audio test` says how far",
                    fallen.echo_loss_db,
                )


def _is_ours(error: BaseException) -> bool:
    """Return whether our own code had a part in an error; libraries fix their own troubles."""
    return any(Path(frame.filename).is_relative_to(PACKAGE) for frame in traceback.extract_tb(error.__traceback__))
