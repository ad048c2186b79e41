"""Tell the house's space which alarms last, for the page: at each change, and whenever the door registers anew.

The contact and the tamper switch raise theirs; the alarm of somebody who guesses the code is raised here.
"""

from __future__ import annotations

import logging
from typing import Final

from intercom.config import Config
from intercom.door.guesses import Guesses, Opener
from intercom.door.health.faults import ALARMS, Faults
from intercom.facts import FaultBegan, FaultCleared, RegistrationChanged
from intercom.history.journal import Entry
from intercom.signalwire import SignalWire, SignalWireError
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

METHOD: Final = "intercom.alarms"


class HouseAlarms:
    """Tells an embedded space of the door's alarms. Belongs to the event loop; subscribe `hear` to the journal."""

    def __init__(self, config: Config, *, client: SignalWire, opener: Opener, faults: Faults) -> None:
        self._in_space = config.account.credential == "space"
        self._client = client
        self._faults = faults
        self.guesses = Guesses(opener, faults)
        self._tasks = TaskSet()
        self._known: list[str] = []
        "the alarms of which the space knows, as far as it has answered"

    def hear(self, entry: Entry) -> None:
        """Take a fact of the journal."""
        self.guesses.hear(entry)
        match entry.fact:
            case FaultBegan(kind) | FaultCleared(kind) if kind in ALARMS:
                self._tell()
            case RegistrationChanged(registered=True) if self._known or self._lasting:
                self._tell()
            case _:
                pass

    @property
    def _lasting(self) -> list[str]:
        return [kind for kind in ALARMS if kind in self._faults.open]

    def _tell(self) -> None:
        if self._in_space:
            self._tasks.spawn(self._say(self._lasting))

    async def _say(self, lasting: list[str]) -> None:
        try:
            await self._client.session.execute(METHOD, {"alarms": lasting})
            self._known = lasting
        except SignalWireError as error:
            logger.debug("The space was not told of the alarms; it is at the next registration: %s", error)

    async def stop(self) -> None:
        """Tell no more."""
        await self._tasks.stop()
