"""Tells the house's space of presses of which it heard no call, so that its list of visitors holds them all the same.

The plan named nobody at that hour, or the service was away for as long as the press might ring.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from intercom.door.calls.kept_press import KeptPress
from intercom.facts import OPENED
from intercom.signalwire import SignalWire, SignalWireError
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

UNHEARD: Final = "intercom.unheard"
KEPT_LIMIT: Final = 16
"""Limit of presses that wait for a space that is away; the oldest are forgotten first."""
_HOW: Final = {OPENED: "opened", "ORIGINATOR_CANCEL": "given_up"}
"""Ends of a press that are no miss, by their cause."""


class UnheardPresses:
    """The presses that the space is still to be told of. Belongs to the event loop, as `tasks` does.

    :param in_space: whether the service is a space, which has a list of visitors.
    """

    def __init__(self, client: SignalWire, *, in_space: bool, tasks: TaskSet) -> None:
        self._client = client
        self._in_space = in_space
        self._tasks = tasks
        self._waiting: list[tuple[float, dict[str, Any]]] = []
        "the time of each press, and what is told of it"

    def add(self, press: KeptPress, cause: str) -> None:
        """Tell of a press that has ended for this cause, now or as soon as the space is there."""
        if not self._in_space:
            return
        about = {"ring": press.ring, "how": _HOW.get(cause, "missed"), "button": press.button}
        self._waiting = [*self._waiting, (_now(), about)][-KEPT_LIMIT:]
        self.tell()

    def tell(self) -> None:
        """Tell of those that wait: the space may be there."""
        if self._waiting and UNHEARD not in self._tasks:
            self._tasks.spawn(self._tell_all(), name=UNHEARD)

    async def _tell_all(self) -> None:
        try:
            while self._waiting:
                at, about = first = self._waiting[0]
                await self._client.session.execute(UNHEARD, {**about, "ago_s": round(_now() - at, 1)})
                self._waiting = [one for one in self._waiting if one is not first]
        except SignalWireError as error:
            logger.debug("The space does not hear of a press that it missed: %s", error)


def _now() -> float:
    return asyncio.get_running_loop().time()
