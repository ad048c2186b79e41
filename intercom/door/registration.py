"""Keeps the door registered with its service, and tells when the service begins or ceases to reach it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from intercom.door.calls.calls import Calls
from intercom.door.health.faults import SERVICE, Faults
from intercom.door.machine import Machine
from intercom.facts import Fact, RegistrationChanged
from intercom.signalwire import SignalWire, SignalWireError

START_PATIENCE_S = 5.0
"""Time without registration after which a starting door reports a lost service; normally it takes half a second."""
CREDENTIAL_WAIT_S = 5.0
"""Retry interval while the credential is unusable: an installer who fixes it need not restart anything."""


class Registration:
    """The door's registration. Belongs to the event loop; subscribe `changed` to the client."""

    def __init__(
        self,
        client: SignalWire,
        *,
        faults: Faults,
        machine: Machine,
        calls: Calls,
        tell: Callable[[Fact], object],
    ) -> None:
        """`tell` takes each change, as a fact for the journal."""
        self._client = client
        self._faults = faults
        self._machine = machine
        self._calls = calls
        self._tell = tell
        self._reported = False

    async def keep(self) -> None:
        """Register, retrying until it succeeds; the client then reconnects by itself, and this raises when it ends."""
        while True:
            try:
                await self._client.register()
            except (SignalWireError, OSError) as error:
                self._faults.begin(SERVICE, str(error))
                await asyncio.sleep(CREDENTIAL_WAIT_S)
            else:
                await self._client.wait_ended()
                raise RuntimeError("nobody keeps the connection to the service any more")

    async def miss(self) -> None:
        """Report a lost service, with its reason, when the door starts without one."""
        await asyncio.sleep(START_PATIENCE_S)
        if not self._reported:
            self._faults.begin(SERVICE, self._client.why_not_connected or "it does not answer")

    def changed(self, registered: bool) -> None:
        """Take whether the service reaches the door now."""
        if registered == self._reported:
            return
        self._reported = registered
        if registered:
            self._faults.clear(SERVICE)
            self._machine.now_registered()
        else:
            self._faults.begin(SERVICE, "the connection is lost" if not self._client.ready else "")
            self._machine.now_unregistered()
        self._tell(RegistrationChanged(registered))
        (self._calls.registered if registered else self._calls.unregistered)()
