"""A subscriber's session: what outlives the socket it speaks through (protocol §3)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from intercom.signalwire.messages import Event, VertoMessage, builtins, new_id
from intercom.space import frames
from intercom.space.kept_frames import KeptBytes, KeptFrames
from intercom.space.records import Subscriber
from intercom.space.sdp import is_reference
from intercom.space.tokens import Grant

LOST_LIMIT_S: Final = 10.0
"""How long a session, and the calls that ring in it, outlive their socket: three attempts of a client's back-off."""
TALKING_LOST_LIMIT_S: Final = 60.0
"""The same for a session that talks: its sound may go on, or come back, long after; a hang-up waits for it so long."""
LEFT_LIMIT_S: Final = 5.0
"""The same for a page that its browser says was left: one that is only loaded anew is back by then."""

Transmit = Callable[[str, str], None]
"""Sends a text frame: (link, text)."""


@dataclass(slots=True, eq=False)
class Session:
    """One registered, or registrable, client."""

    protocol: str
    "The session's channel; each event names it."
    grant: Grant
    "What its token proved."
    agent: str
    "Name and version of the client."
    transmit: Transmit
    "How frames leave."
    node_id: str
    "The node that holds its calls: this space."
    project_id: str
    "The space's project."
    link: str | None
    "The socket it speaks through; None while it has none."
    acknowledges: bool = True
    "Whether it acknowledges events."
    allowed_until: float = math.inf
    "When what allowed it is over, monotonic seconds; a new token gives it more time."
    online: bool = False
    "Whether it wants inbound calls."
    never_busy: bool = False
    "Whether it takes many calls at once."
    lost_at: float = 0.0
    "When its socket went, monotonic seconds; meaningful while link is None."
    left: bool = False
    "Whether its client said that it goes; meaningful while link is None."
    closed: bool = False
    "Whether its client's end closed the socket, as when its program ends: no network failed; the same."
    member_bytes: KeptBytes = field(default_factory=KeptBytes)
    "The bytes kept for all sessions of the same subscriber."
    unsent: KeptFrames = field(init=False)
    "Answers that wait for a socket."
    unacknowledged: KeptFrames = field(init=False)
    "Events that may have been lost with a socket, by their id."

    def __post_init__(self) -> None:
        self.unsent, self.unacknowledged = KeptFrames(self.member_bytes), KeptFrames(self.member_bytes)

    @property
    def subscriber(self) -> Subscriber:
        """Who it is."""
        return self.grant.subscriber

    @property
    def identity(self) -> str:
        """Its name towards people who read logs."""
        return f"{self.subscriber.reference}@{self.project_id}"

    def send(self, text: str) -> None:
        """Send a frame now, or when the socket is back."""
        if self.link is None:
            self.unsent.keep(new_id(), text)
        else:
            self.transmit(self.link, text)

    def send_verto(self, method: str, params: dict[str, Any], wall: float) -> str:
        """Send a Verto message as event `webrtc.message`; return the message's id."""
        message = VertoMessage(method, params, new_id())
        body = Event(
            event_type="webrtc.message",
            params=builtins(message),
            event_channel=self.protocol,
            timestamp=wall,
            project_id=self.project_id,
            node_id=self.node_id,
        )
        self.send_event(body)
        return str(message.id)

    def send_event(self, body: Event) -> None:
        """Send an event, and keep it until it is acknowledged: a socket may be dead long before that is known."""
        event_id = new_id()
        text = frames.event(event_id, body)
        if self.acknowledges or self.link is None:
            self.unacknowledged.keep(event_id, text)
        if self.link is not None:
            self.transmit(self.link, text)

    def acknowledged(self, event_id: str) -> None:
        """Note that an event has arrived."""
        self.unacknowledged.forget(event_id)

    def ended(self) -> None:
        """Drop what is kept: nobody will take it any more."""
        self.unsent.clear()
        self.unacknowledged.clear()

    def lost(self, now: float, *, left: bool = False, closed: bool = False) -> None:
        """Note that the socket is gone; the registration goes with it (protocol §7)."""
        self.link, self.lost_at, self.online, self.left, self.closed = None, now, False, left, closed

    def patience_s(self, *, talks: bool) -> float:
        """How long it is waited for without a socket; the reference client loads much before it is back."""
        if self.left and not is_reference(self.agent):
            return LEFT_LIMIT_S
        return TALKING_LOST_LIMIT_S if talks else LOST_LIMIT_S

    def closed_s(self, now: float) -> float:
        """For how long its client's end has been closed; 0 while it is there, or only cut off."""
        return now - self.lost_at if self.link is None and self.closed else 0.0

    def resumed(self, link: str) -> None:
        """Take a new socket; what waited is sent by `flush` once the client knows that it is resumed."""
        self.link = link

    def flush(self) -> None:
        """Send what waited for the socket, and again what may have been lost with the last one."""
        waiting = [*self.unsent.take(), *self.unacknowledged.texts()]
        if not self.acknowledges:
            self.unacknowledged.clear()
        for text in waiting:
            self.send(text)
