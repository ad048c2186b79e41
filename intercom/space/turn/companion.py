"""Keeps the space's own TURN server running; its failure never ends the space, for calls at home need none."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from intercom.config import SpaceConfig
from intercom.space.errors import TurnError
from intercom.space.location import turn_address
from intercom.space.turn.coturn import TurnServer
from intercom.space.turn.coturn_database import TurnBook

logger = logging.getLogger(__name__)

FIRST_TRY_S: Final = 5.0
"""Time for which the space's start waits for coturn, which may take longer: calls at home need none."""
PAUSE_FIRST_S: Final = 1.0
"""Retry interval after coturn's first failure; it doubles with each failure in a row."""
PAUSE_LAST_S: Final = 60.0
"""Longest retry interval; a new address of the machine ends it."""


class TurnCompanion:
    """Runs one coturn, and restarts it when it ends or its address changes.

    :param directory: where its files live.
    :param address: the address to listen on, None while the machine has none, and the port.
    :param on_change: called when `server` or `fault` has changed.
    """

    def __init__(
        self,
        directory: Path,
        address: Callable[[], tuple[str | None, int]],
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._directory = directory
        self._address = address
        self._on_change = on_change
        self._book = TurnBook()
        self._address_changed = asyncio.Event()
        self._tried = asyncio.Event()
        self._work: asyncio.Task[None] | None = None
        self._failed_at: float | None = None
        self.server: TurnServer | None = None
        """The running server; None while none runs."""
        self.fault = ""
        """The reason why no server runs, in a sentence."""

    async def start(self) -> None:
        """Start coturn; returns when it runs, when the first try has failed, or when that takes long."""
        self._work = asyncio.create_task(self._keep(), name="space turn")
        waiting = asyncio.ensure_future(self._tried.wait())
        await asyncio.wait({self._work, waiting}, timeout=FIRST_TRY_S, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()

    async def stop(self) -> None:
        """End coturn."""
        work, self._work = self._work, None
        if work is not None:
            work.cancel()
            await asyncio.wait({work})

    async def wait_failed(self) -> None:
        """Wait until the companion itself fails, and raise its error."""
        if self._work is not None:
            await self._work

    def addresses_changed(self) -> None:
        """Check again the address on which coturn must listen."""
        self._address_changed.set()

    async def _keep(self) -> None:
        pause_s = PAUSE_FIRST_S
        while True:
            self._address_changed.clear()
            try:
                await self._run_once()
                pause_s = PAUSE_FIRST_S
            except (TurnError, OSError) as problem:
                if self._note_running(None, str(problem)):
                    pause_s = PAUSE_FIRST_S
                self._tried.set()
                try:
                    async with asyncio.timeout(pause_s):
                        await self._address_changed.wait()
                except TimeoutError:
                    pause_s = min(pause_s * 2, PAUSE_LAST_S)

    async def _run_once(self) -> None:
        """Run coturn until its address changes; raises the error that ends it."""
        address, port = self._address()
        if address is None:
            raise TurnError("This machine has no address yet on which a TURN server could listen.")
        server = TurnServer(self._directory, listen=address, port=port, book=self._book)
        try:
            await server.start()
            self._note_running(server, "")
            self._tried.set()
            failed = asyncio.create_task(server.wait_failed())
            try:
                while self._address()[0] == address:
                    changed = asyncio.ensure_future(self._address_changed.wait())
                    await asyncio.wait({failed, changed}, return_when=asyncio.FIRST_COMPLETED)
                    changed.cancel()
                    self._address_changed.clear()
                    if failed.done():
                        failed.result()
            finally:
                failed.cancel()
        finally:
            self.server = None
            await server.stop()

    def _note_running(self, server: TurnServer | None, fault: str) -> bool:
        """Note and log coturn's state; return whether it changed."""
        was_well = not self.fault
        self.server, self.fault = server, fault
        now = time.monotonic()
        if fault and was_well:
            self._failed_at = now
            logger.warning("The TURN server does not run: %s Calls within the house work without it.", fault)
        elif fault:
            logger.debug("The TURN server still does not run: %s", fault)
        elif not was_well and self._failed_at is not None:
            logger.info("The TURN server runs again, after %.0f s.", now - self._failed_at)
        self._on_change()
        return was_well


def companion_of(
    config: SpaceConfig, directory: Path, own_addresses: Callable[[], Iterable[str]], *, on_change: Callable[[], None]
) -> TurnCompanion | None:
    """Return the companion that the configuration asks for, or None; raises `SpaceConfigError` for a wrong address."""
    listen = config.turn_listen
    if not listen:
        return None
    turn_address(listen, ())
    return TurnCompanion(directory, lambda: turn_address(listen, own_addresses()), on_change=on_change)
