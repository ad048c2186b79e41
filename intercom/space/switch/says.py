"""Lets the house speak to the visitor without a conversation: passes a page's sentence on to the door. Sans-I/O.

- A page that a door rings, or that talks with one, asks `intercom.say {callID, words}`, by its own id of that call.
  The answer is the door's: `{said}`, the sentence that it speaks now, or `{refused}` with a word for why. Without words
  it is `{replies}`, the sentences that the door has ready.
- The door hears event `intercom.say {say, callID, by, words}`, in which the space states who asks, and sends
  `intercom.say.answer {say, ...}`. Whether it speaks, the door decides itself as well.
- The door sends `intercom.said {callID, text, by}` whenever it begins to speak for the house, also where a command or
  the door itself had it do so; the whole house learns it with the ring (`rings/bell.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from intercom.signalwire.wire.messages import INVALID_PARAMS, Request, new_id
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Calls, Leg, Party
from intercom.space.switch.rings.bell import Bell
from intercom.space.switch.sessions.sessions import Session

ANSWER_LIMIT_S: Final = 4.0
"""Time limit of a door for a sentence; pages wait 5 s for the answer (protocol §3)."""
SAYS_PER_SESSION_LIMIT: Final = 2
"""Limit of one page's requests that its door has not answered: a person taps once, and perhaps again."""
WORDS_CHARS: Final = 200
"""Length limit of a sentence, as a door has it."""
ANSWER_LIMIT_BYTES: Final = 4096
"""Size limit of a door's answer; eight replies of the greatest length have 2 kB."""

METHODS: Final = frozenset({"intercom.say", "intercom.say.answer", "intercom.said"})


@dataclass(slots=True, eq=False)
class _Say:
    page: Session
    door: Session
    request: Request
    deadline: float


class Says:
    """The sentences that pages have their doors speak.

    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(self, calls: Calls, bell: Bell, *, wall: Callable[[], float]) -> None:
        self._calls = calls
        self._bell = bell
        self._wall = wall
        self._says: dict[str, _Say] = {}

    def carry_out(self, session: Session, request: Request, now: float) -> None:
        """Carry out one of METHODS, and answer it (now, or when the door has)."""
        match request.method:
            case "intercom.say":
                refused = self._ask(session, request, now)
                if refused:
                    session.send(replies.result(request.id, {"refused": refused}))
                return
            case "intercom.say.answer":
                done = self._answered(session, request.params)
            case _:
                done = self._said(session, request.params)
        if done:
            session.send(replies.result(request.id, {}))
        else:
            session.send(replies.refusal(request.id, INVALID_PARAMS, "There is no such request, call or sentence."))

    def gone(self, session: Session) -> None:
        """Forget what a session that is gone for good asked, and answer for a door that is."""
        for say in [say for say, its in self._says.items() if session in (its.page, its.door)]:
            self._refuse(say, "absent")

    def elapsed(self, now: float) -> None:
        """Answer for the doors that have not answered in time."""
        for say in [say for say, its in self._says.items() if now >= its.deadline]:
            self._refuse(say, "slow")

    def _ask(self, session: Session, request: Request, now: float) -> str:
        """Pass a sentence on to the door; return why not, or an empty text."""
        call_id, words = request.params.get("callID"), request.params.get("words", "")
        if session.subscriber.kind != "resident":
            return "not-allowed"
        if not isinstance(words, str) or len(words) > WORDS_CHARS:
            return "words"
        leg = self._calls.leg(session, call_id) if isinstance(call_id, str) else None
        far = None if leg is None else _door_of(leg)
        if far is None:
            return "not-ringing"
        if sum(its.page is session for its in self._says.values()) >= SAYS_PER_SESSION_LIMIT:
            return "full"
        if far.session.link is None:
            return "absent"
        say = new_id()
        self._says[say] = _Say(session, far.session, request, now + ANSWER_LIMIT_S)
        by = Party.of(session.subscriber)
        told = {"say": say, "callID": far.call_id, "by": {"number": by.number, "name": by.name}, "words": words}
        far.session.tell_once("intercom.say", told, self._wall())
        return ""

    def _answered(self, door: Session, params: dict[str, Any]) -> bool:
        """Pass the door's answer on; return whether somebody waits for it."""
        its = self._says.get(str(params.get("say")))
        if its is None or its.door is not door:
            return False
        del self._says[str(params.get("say"))]
        answer: dict[str, Any] = {name: params[name] for name in ("said", "refused", "replies") if name in params}
        fits = len(msgspec.json.encode(answer)) <= ANSWER_LIMIT_BYTES
        its.page.send(replies.result(its.request.id, answer if fits else {"refused": "words"}))
        return True

    def _said(self, door: Session, params: dict[str, Any]) -> bool:
        """Tell the house what the door says; return whether it is this door's call."""
        call_id = params.get("callID")
        leg = self._calls.leg(door, call_id) if isinstance(call_id, str) else None
        if leg is None or door.subscriber.kind != "door":
            return False
        self._bell.replied(leg, params.get("text"), params.get("by"))
        return True

    def _refuse(self, say: str, why: str) -> None:
        its = self._says.pop(say)
        its.page.send(replies.result(its.request.id, {"refused": why}))


def _door_of(leg: Leg) -> Leg | None:
    """Return the end of a call at which a door rings this end or talks with it; None where no door does."""
    call = leg.call
    if leg not in call.ringing and call.answered is None:
        return None
    return next((far for far in call.others(leg) if far.session.subscriber.kind == "door"), None)
