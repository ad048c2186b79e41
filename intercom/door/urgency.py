"""Lets the event loop go first while a call waits for its answer, its first sound or its sound card."""

from __future__ import annotations

from intercom.door.machine import Phase
from intercom.facts import StateChanged
from intercom.history.journal import Entry
from intercom.service.urgency import Urgency

RING_LONGEST_S = 60.0
"""Limit of the time for which the loop goes first while it rings; an answer that comes later is waited for as ever."""
SOUND_S = 3.0
"""Time after an answer in which the call connects, and in which its first sound is heard."""
CARD_LONGEST_S = 60.0
"""Limit of the same for a card: nobody waits longer for one."""
CARD_AFTER_S = 1.0
"""Time after a card's return in which udev still works."""


class CallUrgency:
    """Belongs to the event loop; `hear` takes what the journal tells."""

    def __init__(self, urgency: Urgency | None = None) -> None:
        self._urgency = urgency or Urgency()
        self._phase = Phase.NONE

    def hear(self, entry: Entry) -> None:
        """Take a fact of the journal: go first from the ring on until a call has its sound, and no more after it."""
        if not isinstance(entry.fact, StateChanged) or entry.fact.phase == self._phase:
            return
        self._phase = Phase(entry.fact.phase)
        match self._phase:
            case Phase.NONE:
                self._urgency.end()
            case Phase.ACTIVE:
                self._urgency.begin(SOUND_S)
            case _:
                self._urgency.begin(RING_LONGEST_S)

    def card_lost(self) -> None:
        """Go first until the card is back, if somebody talks."""
        if self._phase is Phase.ACTIVE:
            self._urgency.begin(CARD_LONGEST_S)

    def card_returned(self) -> None:
        """Go first for a moment more: the card is back."""
        if self._phase is Phase.ACTIVE:
            self._urgency.end_in(CARD_AFTER_S)
