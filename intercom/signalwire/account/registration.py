"""Registers the client for inbound calls, and re-registers after every reconnect (protocol.md §4)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from intercom.signalwire.errors import InvalidCredentialsError, NotConnectedError, SignalWireError
from intercom.signalwire.link.link import Link
from intercom.signalwire.observable import Value

logger = logging.getLogger(__name__)

RETRY_FIRST_S = 0.5
"""First retry interval of a re-registration: a service that refuses may be restarting."""
RETRY_LONGEST_S = 30.0


class Registration:
    """Keeps the client registered for inbound calls."""

    def __init__(self, link: Link, reauthenticate: Callable[[], Awaitable[None]]) -> None:
        self.registered: Value[bool] = Value(False)
        self.wanted = False
        self._link = link
        self._reauthenticate = reauthenticate
        self._lock = asyncio.Lock()

    async def register(self) -> None:
        """Wait for the session and register, unless registered; on failure reauthenticate and try once more.

        Raises `InvalidCredentialsError`, caused by the second failure, when both fail.
        """
        await self._link.wait_ready()
        async with self._lock:
            if not self.registered.value:
                await self._register()
            self.wanted = True

    async def unregister(self) -> None:
        """Stop inbound calls; the connection stays."""
        self.wanted = False
        async with self._lock:
            if self.registered.value:
                await self._link.requests.execute("subscriber.offline", {})
                self.registered.set(False)

    async def restore(self) -> None:
        """Re-register after a reconnect, until it succeeds or the connection is lost again."""
        delay_s = RETRY_FIRST_S
        while self.wanted and self._link.ready.value:
            try:
                async with self._lock:
                    if self.wanted and not self.registered.value:
                        await self._register()
            except NotConnectedError:
                return
            except SignalWireError as error:
                level = logging.WARNING if delay_s == RETRY_FIRST_S else logging.DEBUG
                logger.log(level, "Connected, but not registered: %s Trying again.", error)
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, RETRY_LONGEST_S)
            else:
                return

    def lost(self) -> None:
        """Note that the connection is lost, and with it the registration."""
        self.registered.set(False)

    async def _register(self) -> None:
        try:
            await self._online()
        except NotConnectedError:
            raise
        except SignalWireError:
            try:
                await self._reauthenticate()
                await self._online()
            except SignalWireError as error:
                raise InvalidCredentialsError(
                    f"The service does not register us: {error} Check the credential."
                ) from error

    async def _online(self) -> None:
        await self._link.requests.execute("subscriber.online", {})
        self.registered.set(self._link.ready.value)
