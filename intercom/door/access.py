"""What one integration sees of the running door."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from intercom.control.commands import Commands, Handler
from intercom.control.errors import RefusedError
from intercom.control.protocol import INVALID_PARAMS
from intercom.door.command_table import COMMANDS
from intercom.door.health.faults import Faults, Part
from intercom.facts import FaultBegan, FaultCleared
from intercom.history.journal import Entry, Journal, Listener
from intercom.integrations.access import Command, Program
from intercom.media.camera.shared import Camera
from intercom.media.sound.beside import BesideCall


class DoorAccess:
    """The door for one integration, whose failures are those of `part`."""

    def __init__(
        self,
        part: Part,
        *,
        journal: Journal,
        faults: Faults,
        commands: Commands,
        status: Callable[[], dict[str, Any]],
        camera: Camera | None,
        sound: BesideCall,
        snapshot: Callable[[], Awaitable[bytes]],
        press_picture: Callable[[], Awaitable[bytes]],
        on_failure: Callable[[Part, BaseException], None],
    ) -> None:
        self._part = part
        self._journal = journal
        self._faults = faults
        self._commands = commands
        self.status = status
        self.camera = camera
        self.sound = sound
        self.snapshot = snapshot
        self.press_picture = press_picture
        self._on_failure = on_failure
        self._ends: list[Callable[[], None]] = []

    @property
    def commands(self) -> Mapping[str, Command]:
        """Return the commands, by their names at the control socket."""
        return COMMANDS

    @property
    def cursor(self) -> int:
        """Return the number of the last fact; 0 before the first."""
        return self._journal.cursor

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each fact from now on, until it raises; return the function that ends this."""

        def guarded(entry: Entry) -> None:
            if isinstance(entry.fact, FaultBegan | FaultCleared) and entry.fact.kind == self._part:
                return
            try:
                listener(entry)
            except Exception as error:  # noqa: BLE001 - the integration has failed, and the journal's others have not
                unsubscribe()
                self._on_failure(self._part, error)

        unsubscribe = self._journal.subscribe(guarded)
        self._ends.append(unsubscribe)
        return unsubscribe

    def since(self, cursor: int) -> list[Entry]:
        """Return the kept facts after this cursor, the oldest first."""
        return self._journal.since(cursor)

    async def ask(self, command: str, params: Mapping[str, Any], *, caller: Program) -> Any:
        """Carry out a command and return its answer; raises RefusedError."""
        if "by" in params:  # the word of the SSH gate, which vouches for whom it names
            raise RefusedError("an integration asks in its own name: leave `by` out", INVALID_PARAMS)
        return await self._commands.ask(caller, command, params)

    def offer(self, command: str, handler: Handler) -> None:
        """Carry out one more command of the control socket, until the integration is stopped."""
        self._ends.append(self._commands.offer(command, handler))

    def broken(self, why: str) -> None:
        """Report as a fault that something outside does not work."""
        self._faults.begin(self._part, why)

    def works(self) -> None:
        """Report that it works again."""
        self._faults.clear(self._part)

    def failed(self, error: BaseException) -> None:
        """Report a defect of the integration."""
        self._on_failure(self._part, error)

    def close(self) -> None:
        """End all subscriptions, and the commands that it offers."""
        for unsubscribe in self._ends:
            unsubscribe()
        self._ends.clear()
