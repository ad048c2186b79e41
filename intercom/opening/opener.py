"""The only part that opens the door: it asks for the decision, counts wrong codes and reports the result."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Collection
from typing import Any, Protocol

import msgspec

from intercom.address import Address
from intercom.config import DoorConfig
from intercom.facts import DoorOpened, DoorRefused, Fact
from intercom.opening.decision import REFUSALS, Code, KeyFacts, Kind, Rules, Ruling, Way, may_open
from intercom.opening.wrong_codes import WrongCodes
from intercom.panel import PanelError
from intercom.signalwire import KeyPress, WebRTCCall

logger = logging.getLogger(__name__)

PAUSE_S = 5.0
"""Pause after which a code begins anew: nobody types so slowly, and a stray key is forgotten."""
TOLD_AGAIN_S = 1.0
"""Least time between two reported refusals, except for those of a wrong code, which are few."""
_WHY = {
    Ruling.PUBLIC: "an address of /public never may",
    Ruling.A_DOOR: "it is a door itself",
    Ruling.NOT_NAMED: "it is not in door.openers",
    Ruling.DEAF: "there were too many wrong codes",
    Ruling.WRONG_CODE: "the code is wrong",
    Ruling.TAMPERED: "the box of the door station was opened",
    Ruling.ECHO: "the door itself sent that tone: somebody may be playing it at the microphone",
    Ruling.NOT_ADMITTED: "the configuration lets nobody open the door by this way",
}


class NotAdmittedError(PermissionError):
    """Somebody who presses no keys may not open the door."""


class DoorLock(Protocol):
    """The door's relay."""

    def open(self) -> bool:
        """Open the door for one pulse; return False if the relay must rest first. Raises PanelError."""


class AskingCall(Protocol):
    """The door's call, whose far end asks for the door to be opened."""

    call: WebRTCCall
    outbound: bool
    answered: bool

    @property
    def far_end(self) -> Address:
        """Return the far end's address."""

    @property
    def kind(self) -> Kind:
        """Return the far end's kind."""


class DoorOpener:
    """Opens the door for those who may. Belongs to the event loop."""

    def __init__(
        self,
        door: DoorConfig,
        *,
        lock: DoorLock,
        tell: Callable[[Fact], object],
        programs: Collection[Way] = (),
        tampered: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Open with this lock; `tell` takes the openings and refusals, as facts for the journal.

        `programs` are the ways by which other systems of the house may open the door; `tampered` says whether the door
        station's box is open, or was a short while ago.
        """
        self._digits = door.open_digits
        self._rules = Rules(
            openers=door.openers,
            has_code=bool(door.open_digits),
            hears_tones=door.keys_in_sound,
            programs=frozenset(programs),
        )
        self._lock = lock
        self._tell = tell
        self._tampered = tampered
        self._clock = clock
        self._wrong_codes = WrongCodes()
        self._typed_in = ""
        "id of the call in which `_typed` was typed"
        self._typed = ""
        self._typed_at = -math.inf
        self._told_at = -math.inf

    @property
    def deaf_s(self) -> float:
        """Return for how long no keys open the door, after too many wrong codes."""
        return self._wrong_codes.deaf_s(self._clock())

    @property
    def free_key(self) -> str:
        """A telephone key that is in no code, and so may mean something else: `#` unless it opens the door."""
        return next(key for key in "#*0123456789" if key not in self._digits)

    def ask(self, way: Way, who: str) -> bool:
        """Open the door for somebody who presses no keys; return False if the relay must rest.

        Raises PanelError, and NotAdmittedError for who may not.
        """
        ruling = may_open(way, None, self._rules)
        if ruling is not Ruling.OPENS:
            self._tell(DoorRefused(ruling.value))
            logger.warning("%s may not open the door: %s", who, _WHY[Ruling.NOT_ADMITTED])
            raise NotAdmittedError(f"{who} may not open the door: {_WHY[Ruling.NOT_ADMITTED]}")
        if not self._lock.open():
            return False
        logger.info("%s opens the door", who)
        self._tell(DoorOpened(who))
        return True

    def key(self, current: AskingCall, press: KeyPress) -> dict[str, Any] | None:
        """Handle a key from the far end, which is never logged; return the answer to the far end, if any."""
        now, way = self._clock(), Way(press.way)
        facts = msgspec.structs.replace(self._facts(current), echo_s=press.echo_s)
        ruling = may_open(way, facts, self._rules)
        if ruling is Ruling.INCOMPLETE:
            ruling = self._type(way, current, facts, press.digit, now)
        if ruling is Ruling.OPENS:
            return self._open(current)
        return self._refuse(current, ruling, now) if ruling in REFUSALS else None

    def button(self, current: AskingCall) -> dict[str, Any] | None:
        """Handle a tap on the button of the far end's page; return the answer to the far end, if any."""
        ruling = may_open(Way.BUTTON, self._facts(current), self._rules)
        if ruling is Ruling.OPENS:
            return self._open(current)
        return self._refuse(current, ruling, self._clock()) if ruling in REFUSALS else None

    @staticmethod
    def _facts(current: AskingCall) -> KeyFacts:
        return KeyFacts(
            address=current.far_end, kind=current.kind, outbound=current.outbound, answered=current.answered
        )

    def _type(self, way: Way, current: AskingCall, facts: KeyFacts, digit: str, now: float) -> Ruling:
        """Add the key to the keys before it; return the ruling on a whole code."""
        if current.call.id != self._typed_in or now - self._typed_at > PAUSE_S:
            self._typed = ""
        self._typed_in, self._typed_at, self._typed = current.call.id, now, self._typed + digit
        if len(self._typed) < len(self._digits):
            return Ruling.INCOMPLETE
        code, self._typed = Code.RIGHT if self._typed == self._digits else Code.WRONG, ""
        known = msgspec.structs.replace(
            facts, code=code, deaf=self._wrong_codes.deaf_s(now) > 0, tampered=self._tampered()
        )
        ruling = may_open(way, known, self._rules)
        if ruling is Ruling.WRONG_CODE:
            self._wrong_codes.wrong(now)
        elif ruling is Ruling.OPENS:
            self._wrong_codes.right()
        return ruling

    def _open(self, current: AskingCall) -> dict[str, Any] | None:
        try:
            if self._lock.open():
                logger.info("%s opens the door", current.far_end)
                self._tell(DoorOpened(str(current.far_end)))
                return None
        except PanelError as error:
            logger.warning("The door does not open: %s", error)
        return {"door": "refused", "reason": "relay"}

    def _refuse(self, current: AskingCall, ruling: Ruling, now: float) -> dict[str, Any] | None:
        self._tell(DoorRefused(ruling.value))
        if ruling is not Ruling.WRONG_CODE and now - self._told_at < TOLD_AGAIN_S:
            return None
        self._told_at = now
        deaf_s = math.ceil(self._wrong_codes.deaf_s(now))
        consequence = f"; no keys open it for {deaf_s} s" if deaf_s else ""
        logger.warning("%s may not open the door: %s%s", current.far_end, _WHY[ruling], consequence)
        told: dict[str, Any] = {"door": "refused", "reason": ruling.value}
        return {**told, "for_s": deaf_s} if deaf_s else told
