"""Lets the house see who rings before anybody answers: views of a door's camera, and the still of the press. Sans-I/O.

A view is no call. Its picture goes straight from the door to whoever watches; what passes here are its descriptions:

- A page asks with `intercom.view {callID, sdp}`, by the id under which a door's call rings at it, or, to look at a door
  that does not ring, `intercom.view {address, sdp}`. The answer is `{view, sdp}`, or `{refused}` with a word for why.
  A look with an empty sdp asks only whether it may be: `{refused: "may"}`, or the word for why not.
- The door hears event `intercom.view {view, callID, by, sdp}` and sends `intercom.view.answer {view, sdp}` or
  `{view, refused}`. Whether it is rung, and whether anybody may look, it decides itself as well.
- Either end sends `intercom.view.end {view}`, the door with a `reason`; the other hears it as an event.
- A viewer with a token (`space/viewers/`) asks in the same way, without a session. The door hears `standing` (it looks
  for as long as it likes), whether it may `talk`, and by `intercom.view.candidates {view, candidates}` what it found
  after its offer. Whenever a door registers it hears event `intercom.views {views}`: the standing views that there are.
- The door sends `intercom.still {callID, jpeg, age_ms}`; each end that its call rings hears it as an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from intercom.signalwire.wire.messages import INVALID_PARAMS, Request, new_id
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Call, Calls, Leg, Party
from intercom.space.switch.calls.sdp import is_reference, plausible
from intercom.space.switch.sessions.sessions import Session

ANSWER_LIMIT_S: Final = 4.0
"""Time limit of a door for a view; pages wait 5 s for the answer (protocol §3)."""
VIEWS_PER_SESSION_LIMIT: Final = 4
"""Limit of one page's views: of three doors that ring at once, and one to which it looks."""
STILL_LIMIT_CHARS: Final = 64 * 1024
"""Size limit of a still in base64, so that three of them fit beside their invites into what may wait for a socket."""

_BASE64: Final = re.compile(r"[A-Za-z0-9+/]+={0,2}")
_REASON: Final = re.compile(r"[a-z-]{1,20}")

METHODS: Final = frozenset({"intercom.view", "intercom.view.answer", "intercom.view.end", "intercom.still"})


class AddressBook(Protocol):
    """Looks up addresses; the store is one."""

    def ringing_at(self, name: str) -> list[str] | None:
        """Return the ids of the subscribers at `name`; None when there is no such address."""


class Watcher(Protocol):
    """Somebody who asked for a view."""

    def sees(self, view: str, sdp: str) -> None:
        """Take the door's answer."""

    def refused(self, reason: str) -> None:
        """Hear in a word why there is no view."""

    def ended(self, view: str, reason: str) -> None:
        """Hear in a word why the view is over."""


@dataclass(frozen=True, slots=True)
class _Page:
    """A page that asked by a request of its session."""

    session: Session
    request: Request
    wall: Callable[[], float]

    def sees(self, view: str, sdp: str) -> None:
        self.session.send(replies.result(self.request.id, {"view": view, "sdp": sdp}))

    def refused(self, reason: str) -> None:
        self.session.send(replies.result(self.request.id, {"refused": reason}))

    def ended(self, view: str, reason: str) -> None:
        self.session.send_about("intercom.view.end", {"view": view, "reason": reason}, self.wall())


@dataclass(slots=True, eq=False)
class _View:
    watcher: Watcher
    page: Session | None
    "The session of the page that watches; None for a viewer with a token."
    door: Session
    leg: Leg | None
    "The page's end of the call that rings; None for a look."
    deadline: float
    waits: bool = True
    "Whether the door has not answered yet."


class Views:
    """The views of all doors.

    :param sessions: the sessions there are now.
    :param wall: the time of day for events, seconds since 1970.
    """

    def __init__(
        self,
        calls: Calls,
        addresses: AddressBook,
        sessions: Callable[[], Iterable[Session]],
        *,
        wall: Callable[[], float],
    ) -> None:
        self._calls = calls
        self._addresses = addresses
        self._sessions = sessions
        self._wall = wall
        self.pictured: Callable[[str, str], object] = lambda _ring, _jpeg: None
        "Takes the picture of a press, in base64, with the id of its ring."
        self._views: dict[str, _View] = {}
        self._stills: dict[Call, tuple[dict[str, Any], float]] = {}
        "The still of each call that rings, and the time at which it came."

    def carry_out(self, session: Session, request: Request, now: float) -> None:
        """Carry out one of METHODS, and answer it (now, or when the door has)."""
        params = request.params
        match request.method:
            case "intercom.view":
                refused = self._ask(session, request, now)
                if refused:
                    session.send(replies.result(request.id, {"refused": refused}))
                return
            case "intercom.view.answer":
                done = self._answered(session, params)
            case "intercom.view.end":
                done = self._ended(session, params)
            case _:
                done = self._still(session, params, now)
        if done:
            session.send(replies.result(request.id, {}))
        else:
            session.send(replies.refusal(request.id, INVALID_PARAMS, "There is no such view, call or picture."))

    # -- what call control tells -----------------------------------------------------------------------------

    def rings(self, leg: Leg, now: float) -> None:
        """Show the still that there is to an end that begins to ring."""
        still = self._stills.get(leg.call)
        if still is not None:
            params, at = still
            self._show(leg, {**params, "age_ms": params["age_ms"] + round((now - at) * 1000)})

    def left(self, leg: Leg) -> None:
        """End the views of an end that rings no more."""
        for view in [view for view, its in self._views.items() if its.leg is leg]:
            self._end(view)

    def forget(self, call: Call) -> None:
        """End the views of a call that is over."""
        self._stills.pop(call, None)
        for view in [view for view, its in self._views.items() if its.leg is not None and its.leg.call is call]:
            self._end(view)

    def gone(self, session: Session) -> None:
        """End the views of a session that is gone for good, and those of its camera."""
        for view in [view for view, its in self._views.items() if session in (its.page, its.door)]:
            self._end(view, "absent")

    def elapsed(self, now: float) -> None:
        """Refuse the views that their door has not answered in time."""
        for view in [view for view, its in self._views.items() if its.waits and now >= its.deadline]:
            self._end(view, "slow")

    # -- the methods ---------------------------------------------------------------------------------------

    def _ask(self, session: Session, request: Request, now: float) -> str:
        """Pass the request of somebody who wants to see on to the door; return why not, or an empty text."""
        sdp, call_id, address = (request.params.get(name) for name in ("sdp", "callID", "address"))
        if session.subscriber.kind != "resident":
            return "not-allowed"
        if not plausible(sdp) and not (sdp == "" and isinstance(address, str)):
            return "offer"
        if sum(its.page is session for its in self._views.values()) >= VIEWS_PER_SESSION_LIMIT:
            return "full"
        leg = self._calls.leg(session, call_id) if isinstance(call_id, str) else None
        if isinstance(address, str):
            door = self._door_at(address)
        elif leg is not None and leg in leg.call.ringing and leg.call.caller_party.kind == "door":
            door = leg.call.caller.session
        else:
            return "not-ringing"
        if door is None or door.link is None:
            return "absent"
        by = Party.of(session.subscriber)
        call_id = "" if leg is None else leg.call.caller.call_id
        asked = {"callID": call_id, "by": {"number": by.number, "name": by.name}, "sdp": sdp}
        self._begin(_View(_Page(session, request, self._wall), session, door, leg, now + ANSWER_LIMIT_S), asked)
        return ""

    def _begin(self, its: _View, asked: dict[str, Any]) -> str:
        view = new_id()
        self._views[view] = its
        its.door.send_about("intercom.view", {"view": view, **asked}, self._wall())
        return view

    # -- viewers with a token ------------------------------------------------------------------------------

    def look(self, watcher: Watcher, address: str, sdp: str, *, name: str, talks: bool, now: float) -> str:
        """Ask the door at `address` for a standing view; return its id, or an empty text where there is no door."""
        door = self._door_at(address)
        if door is None or door.link is None:
            return ""
        asked = {
            "callID": "",
            "by": {"number": f"/viewer/{name}", "name": name},
            "sdp": sdp,
            "standing": True,
            "talk": talks,
        }
        return self._begin(_View(watcher, None, door, None, now + ANSWER_LIMIT_S), asked)

    def found(self, view: str, candidates: list[str]) -> None:
        """Tell the door what a viewer found after its offer."""
        its = self._views.get(view)
        if its is not None:
            its.door.send_about("intercom.view.candidates", {"view": view, "candidates": candidates}, self._wall())

    def leave(self, view: str) -> None:
        """End a viewer's view; harmless when it is over."""
        if view in self._views:
            self._end(view)

    def came_online(self, door: Session) -> None:
        """Tell a door that registers which standing views there are: one of before a restart of the space is over."""
        if door.subscriber.kind == "door":
            standing = [view for view, its in self._views.items() if its.door is door and its.page is None]
            door.send_about("intercom.views", {"views": standing}, self._wall())

    def _door_at(self, address: str) -> Session | None:
        at = self._addresses.ringing_at(address.partition("?")[0][:256]) or []
        there = (session for session in self._sessions() if session.is_there and [session.subscriber.id] == at)
        return next((session for session in there if session.subscriber.kind == "door"), None)

    def _answered(self, door: Session, params: dict[str, Any]) -> bool:
        """Pass the door's answer on; return whether somebody waits for it."""
        view = str(params.get("view"))
        its = self._views.get(view)
        if its is None or its.door is not door or not its.waits:
            return False
        its.waits = False
        sdp, refused = params.get("sdp"), params.get("refused")
        if plausible(sdp):
            its.watcher.sees(view, sdp)
        else:
            del self._views[view]
            its.watcher.refused(_word(refused))
        return True

    def _ended(self, session: Session, params: dict[str, Any]) -> bool:
        """End a view for one of its ends; return whether it is theirs."""
        view = str(params.get("view"))
        its = self._views.get(view)
        if its is None or session not in (its.page, its.door):
            return False
        if session is its.door:
            del self._views[view]
            if its.waits:
                its.watcher.refused(_word(params.get("reason")))
            else:
                its.watcher.ended(view, _word(params.get("reason")))
        else:
            self._end(view)
        return True

    def _still(self, door: Session, params: dict[str, Any], now: float) -> bool:
        """Show the picture of a press to every end that its call rings; return whether it can be one."""
        call_id, jpeg, age_ms = (params.get(name) for name in ("callID", "jpeg", "age_ms"))
        leg = self._calls.leg(door, call_id) if isinstance(call_id, str) else None
        if leg is None or leg is not leg.call.caller or door.subscriber.kind != "door" or leg.call.answered:
            return False
        if not isinstance(jpeg, str) or len(jpeg) > STILL_LIMIT_CHARS or not _BASE64.fullmatch(jpeg):
            return False
        if not isinstance(age_ms, int) or not 0 <= age_ms < 1_000_000:
            return False
        still = {"jpeg": jpeg, "age_ms": age_ms}
        self._stills[leg.call] = still, now
        self.pictured(leg.call.ring, jpeg)
        for ringing in leg.call.ringing:
            self._show(ringing, still)
        return True

    def _show(self, leg: Leg, still: dict[str, Any]) -> None:
        if leg.session.subscriber.kind == "resident" and not is_reference(leg.session.agent):
            leg.session.tell_once("intercom.still", {"callID": leg.call_id, **still}, self._wall())

    def _end(self, view: str, reason: str = "over") -> None:
        """End a view, and tell the door, and whoever waits for its answer."""
        its = self._views.pop(view)
        its.door.send_about("intercom.view.end", {"view": view}, self._wall())
        if its.waits:
            its.watcher.refused(reason)
        elif reason != "over":
            its.watcher.ended(view, reason)


def _word(reason: object) -> str:
    return reason if isinstance(reason, str) and _REASON.fullmatch(reason) else "over"
