"""Holds a subscriber's session, which outlives the socket that it uses (protocol §3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from intercom.signalwire.wire.messages import Event, VertoMessage, builtins, new_id
from intercom.space.auth.tokens import Grant
from intercom.space.store.records import Subscriber
from intercom.space.switch import replies
from intercom.space.switch.calls.sdp import is_reference
from intercom.space.switch.sessions.liveness import Liveness
from intercom.space.switch.sessions.undelivered import KeptBytes, KeptFrames

LOST_LIMIT_S: Final = 10.0
"""Time after which a session without a socket ends, with its ringing calls: three attempts of a client's back-off."""
TALKING_LOST_LIMIT_S: Final = 60.0
"""The same for a session in a call: its sound may go on or return long after; a hang-up waits for it as long."""
TAKEN_LIMIT: Final = 2
"""Limit of times that a session is taken from a client that is there; the next time, whoever had it first keeps it."""
TAKEN_WINDOW_S: Final = 10.0
"""Time after which such a taking is forgotten: clients that fight come back within 3 s, their longest back-off."""
LEFT_LIMIT_S: Final = 5.0
"""The same for a page that its browser reports as left, and for a client whose program ended: its socket was closed,
which no network does that dies. A page that is loaded anew, and a door that its service manager restarts, are back by
then or begin afresh; whoever they rang or talked with knows within 10 s that they are gone."""

Transmit = Callable[[str, str], None]
"""Function that sends a text frame: (link, text)."""


@dataclass(slots=True, eq=False)
class Session:
    """One client that is registered or can register."""

    protocol: str
    "The session's channel; each event names it."
    grant: Grant
    "The grant of the session's token."
    agent: str
    "Name and version of the client."
    transmit: Transmit
    "Function that sends the session's frames."
    node_id: str
    "The node that holds its calls: this space."
    project_id: str
    "The space's project."
    link: str | None
    "The link of the session's socket; None while it has none."
    acknowledges: bool = True
    "Whether the client acknowledges events."
    allowed_until: float = math.inf
    "Time at which the session's permission ends, monotonic seconds; a new token extends it."
    online: bool = False
    "Whether the client wants inbound calls."
    never_busy: bool = False
    "Whether the client takes many calls at once."
    lost_at: float = 0.0
    "Time at which the socket was lost, monotonic seconds; meaningful while link is None."
    left: bool = False
    "Whether the client announced that it leaves; meaningful while link is None."
    closed: bool = False
    "Whether the client closed the socket, as when its program ends; meaningful while link is None."
    restored: bool = False
    "Whether the session is one of before the space's restart; meaningful while link is None."
    liveness: Liveness = field(default_factory=Liveness)
    "When the client was last heard; meaningful while it has a link."
    member_bytes: KeptBytes = field(default_factory=KeptBytes)
    "The bytes kept for all sessions of the same subscriber."
    _taken_at: list[float] = field(default_factory=list)
    "Times at which the session was taken from a client that was there, the latest few."
    unsent: KeptFrames = field(init=False)
    "Answers that wait for a socket."
    unacknowledged: KeptFrames = field(init=False)
    "Events that may have been lost with a socket, by their id."

    def __post_init__(self) -> None:
        self.unsent, self.unacknowledged = KeptFrames(self.member_bytes), KeptFrames(self.member_bytes)

    @property
    def subscriber(self) -> Subscriber:
        """The session's subscriber."""
        return self.grant.subscriber

    @property
    def identity(self) -> str:
        """The session's name in logs."""
        return f"{self.subscriber.reference}@{self.project_id}"

    @property
    def is_there(self) -> bool:
        """Whether the client wants inbound calls and can take one: it has a socket and does not hang."""
        return self.online and self.link is not None and not self.liveness.silent

    def must_react(self, now: float, wall: float) -> None:
        """Note that the client was sent what it has to react to; ask it, if it does not acknowledge events."""
        self.liveness.asked(now)
        if not self.acknowledges:
            self.ask(now, wall)

    def ask(self, now: float, wall: float) -> None:
        """Ask the client for a sign that its program runs (`signalwire.ping`)."""
        self.liveness.asked(now)
        if self.link is not None:
            self.transmit(self.link, replies.ping(new_id(), wall))

    def send(self, text: str) -> None:
        """Send a frame now, or once the session has a socket again."""
        if self.link is None:
            self.unsent.keep(new_id(), text)
        else:
            self.transmit(self.link, text)

    def send_verto(self, method: str, params: dict[str, Any], wall: float) -> str:
        """Send a Verto message as event `webrtc.message`; return the message's id."""
        message = VertoMessage(method, params, new_id())
        self.send_about("webrtc.message", builtins(message), wall)
        return str(message.id)

    def send_about(self, event_type: str, params: dict[str, Any], wall: float) -> None:
        """Send an event of this session."""
        self.send_event(self._about(event_type, params, wall))

    def _about(self, event_type: str, params: dict[str, Any], wall: float) -> Event:
        return Event(
            event_type=event_type,
            params=params,
            event_channel=self.protocol,
            timestamp=wall,
            project_id=self.project_id,
            node_id=self.node_id,
        )

    def tell_once(self, event_type: str, params: dict[str, Any], wall: float) -> None:
        """Send an event that is worth nothing later: it is not kept, and lost where there is no socket."""
        if self.link is not None:
            self.transmit(self.link, replies.event(new_id(), self._about(event_type, params, wall)))

    def send_event(self, body: Event) -> None:
        """Send an event, and keep it until it is acknowledged: a dead socket may go unnoticed for long."""
        event_id = new_id()
        text = replies.event(event_id, body)
        if self.acknowledges or self.link is None:
            self.unacknowledged.keep(event_id, text)
        if self.link is not None:
            self.transmit(self.link, text)

    def acknowledged(self, event_id: str) -> None:
        """Note that an event has arrived."""
        self.unacknowledged.forget(event_id)

    def ended(self) -> None:
        """Drop the kept frames: the session is over."""
        self.unsent.clear()
        self.unacknowledged.clear()

    def lost(self, now: float, *, left: bool = False, closed: bool = False, restored: bool = False) -> None:
        """Note that the socket is gone, which ends the registration (protocol §7)."""
        self.link, self.lost_at, self.online = None, now, False
        self.left, self.closed, self.restored = left, closed, restored

    def patience_s(self, *, talks: bool, missed: bool) -> float:
        """Return how long the session waits for a new socket; the reference client loads much before it is back.

        `talks`: it is in an answered call; `missed`: whose far end is connected. Where both ends' sockets were closed,
        as by a proxy that restarts, neither of them ended.
        """
        if not is_reference(self.agent):
            if self.left or (self.closed and (missed or not talks)):
                return LEFT_LIMIT_S
            if self.restored and missed:
                return LOST_LIMIT_S  # the far end has noticed that the space is back, and so would its client
        return TALKING_LOST_LIMIT_S if talks else LOST_LIMIT_S

    def closed_s(self, now: float) -> float:
        """Return for how long the client has been closed; 0 while it is connected, or only cut off."""
        return now - self.lost_at if self.link is None and self.closed else 0.0

    def disconnected(self, link: str, now: float, *, left: bool, closed: bool) -> None:
        """Note that a socket is gone: the session's own, or one that it was taken from, whose client was still there.

        A page whose network changes leaves a dead socket behind. One that answers the closing lives: there are two
        with one resume state, widgets of one page or a duplicated tab, and each takes the session from the other.
        """
        if self.link == link:
            self.lost(now, left=left, closed=closed)
        elif closed:
            self._taken_at = [*self._taken_at[1 - TAKEN_LIMIT :], now]

    def may_move(self, now: float) -> bool:
        """Return whether another socket may take the session; not when two clients take it in turn.

        Only the reference client shares its resume state. Ours closes its old socket when its network changes, which
        may happen several times in seconds, and in a call.
        """
        lately = sum(now - at < TAKEN_WINDOW_S for at in self._taken_at)
        return self.link is None or not is_reference(self.agent) or lately < TAKEN_LIMIT

    def resumed(self, link: str, now: float) -> None:
        """Take a new socket; `flush` sends the waiting frames once the client knows that it is resumed."""
        self.link = link
        self.liveness.heard(now)

    def flush(self) -> None:
        """Send the frames that waited for the socket, and resend those that may have been lost with the last one."""
        waiting = [*self.unsent.take(), *self.unacknowledged.texts()]
        if not self.acknowledges:
            self.unacknowledged.clear()
        for text in waiting:
            self.send(text)
