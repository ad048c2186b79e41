"""Takes from a door a press of which the space heard no call: its plan named nobody, or the space was away. Sans-I/O.

Beyond the protocol page: a door sends `intercom.unheard {ring, how, ago_s, button}`, in which `ring` is its own name of
the press, as in its calls. Nobody is rung for it; the list of visitors holds it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from intercom.plain_text import plain
from intercom.signalwire.wire.messages import INVALID_PARAMS, Request
from intercom.space.switch import replies
from intercom.space.switch.calls.calls import Party
from intercom.space.switch.rings.ring import Ending, Ring
from intercom.space.switch.rings.step import RING_ID_CHARS
from intercom.space.switch.sessions.sessions import Session

METHOD: Final = "intercom.unheard"
AGO_LIMIT_S: Final = 31 * 24 * 3600.0
"""Limit of the time since such a press: a door remembers it no longer than it runs."""


class Unheard(Struct, frozen=True):
    """The parameters of `intercom.unheard`."""

    ring: Annotated[str, Meta(min_length=1, max_length=RING_ID_CHARS)]
    """The door's name of the press."""
    ago_s: Annotated[float, Meta(ge=0, le=AGO_LIMIT_S)]
    """Seconds since the press."""
    how: Literal["missed", "given_up", "opened"] = "missed"
    """How it ended."""
    button: Annotated[str, Meta(max_length=64)] = ""
    """Name of its button."""


class UnheardPresses:
    """Takes the presses, each as a ring that is over.

    :param wall: the time of day, seconds since 1970.
    """

    def __init__(self, *, wall: Callable[[], float]) -> None:
        self._wall = wall
        self.told: Callable[[Ring], object] = lambda _ring: None
        "Function that takes each."

    def carry_out(self, session: Session, request: Request) -> None:
        """Take one of a door, and answer it."""
        door = session.subscriber
        try:
            press = msgspec.convert(request.params, Unheard)
        except msgspec.ValidationError as problem:
            session.send(replies.refusal(request.id, INVALID_PARAMS, f"This is no press: {problem}"))
            return
        if door.kind != "door":
            session.send(replies.refusal(request.id, INVALID_PARAMS, "Only doors tell of presses."))
            return
        at = self._wall() - press.ago_s
        ring_id, button = f"{door.reference}/{plain(press.ring)}", plain(press.button)
        ending = Ending(press.how, at=at)
        self.told(Ring(ring_id, Party.of(door), frozenset(), at, ending=ending, button=button))
        session.send(replies.result(request.id, {}))
